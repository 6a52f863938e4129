/** `doctor` on this very machine, as root and without, and on machines that lack one thing each. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DoctorReport } from "../../src/app/doctor.js";
import { doctorStatus, renderDoctor, runDoctor } from "../../src/app/doctor.js";
import { openMachine, type Machine } from "../../src/app/machine.js";
import { unprivilegedUser } from "./unprivileged.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const isRoot = process.getuid?.() === 0;
let work = "";

beforeAll(async () => {
  work = fs.mkdtempSync(join(tmpdir(), "stagewright-doctor-"));
  fs.chmodSync(work, 0o755);
  const banner = { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' };
  const common = {
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner,
    logLevel: "error",
  } as const;
  const child = join(root, "test/doctor/doctor-child.ts");
  const worker = join(root, "src/app/workers/worker-main.ts");
  await build({ ...common, entryPoints: { child, worker }, outdir: work, outExtension: { ".js": ".mjs" } });
});

afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

function machine(changes: Partial<Machine> = {}): Machine {
  const real = openMachine({
    environment: process.env,
    uid: process.getuid?.() ?? 0,
    arch: process.arch,
    cores: 1,
    node: process.execPath,
    workerModule: join(work, "worker.mjs"),
    currentFolder: work,
    log: { info: () => undefined, warn: () => undefined },
  });
  return { ...real, ...changes };
}

/** The machine's files, with other texts in some of them. */
function withFiles(texts: Readonly<Record<string, string>>): Machine {
  const { files } = machine();
  const readFileSync = (path: fs.PathOrFileDescriptor, options?: unknown): unknown =>
    texts[String(path)] ?? fs.readFileSync(path, options as BufferEncoding);
  return machine({ files: { ...files, readFileSync: readFileSync as typeof fs.readFileSync } });
}

/** The machine without some programs. */
function without(...programs: readonly string[]): Machine {
  const { processes } = machine();
  const hidden = (program: string): boolean => programs.includes(program.replace(/^.*\//, ""));
  const find = (program: string): string | undefined => (hidden(program) ? undefined : processes.find(program));
  return machine({ processes: { ...processes, find } });
}

function states(report: DoctorReport): Record<string, string> {
  return Object.fromEntries(report.checks.map((check) => [check.id, check.state]));
}

function check(report: DoctorReport, id: string) {
  const found = report.checks.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

describe("doctor on this machine", () => {
  it("finds that builds work, having built", async () => {
    const store = join(work, "store");
    const report = await runDoctor({ store }, machine());
    expect(report.reasons).toBeUndefined();
    expect(states(report)).toMatchObject({
      "trial-namespaces": "ok",
      "trial-overlay": "ok",
      "trial-run": "ok",
      "tool-getfattr": "ok",
      store: "ok",
    });
    expect(doctorStatus(report)).toBe(0);
    expect(fs.readdirSync(join(store, "tmp"))).toEqual([]);
    expect(fs.readdirSync(join(store, "blobs"))).toEqual([]);
    expect(renderDoctor(report, process.getuid?.() ?? 0).at(-1)).toMatch(/^Builds work here/);
  });

  it.runIf(isRoot)("finds that they work without root, for a user with subordinate ids", (context) => {
    const user = unprivilegedUser();
    if (user === undefined) {
      if (process.env["CI"] === "true")
        throw new Error("no user has subordinate ids: useradd --create-home stagewright-tester");
      context.skip("SKIPPED: no user of this machine has subordinate ids");
      return;
    }
    const folder = join(work, "rootless");
    fs.mkdirSync(folder, { mode: 0o700 });
    fs.chownSync(folder, user.uid, user.gid);
    const ids = ["--reuid", String(user.uid), "--regid", String(user.gid), "--init-groups"];
    const child = [process.execPath, join(work, "child.mjs"), join(folder, "store"), join(work, "worker.mjs")];
    const env = { PATH: process.env["PATH"], HOME: folder };
    const { stdout, stderr, status } = spawnSync("setpriv", [...ids, "--", ...child], { encoding: "utf8", env });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(report.reasons).toBeUndefined();
    expect(fs.readdirSync(join(folder, "store/tmp"))).toEqual([]);
    expect(states(report)).toMatchObject({ subuid: "ok", subgid: "ok", "tool-newuidmap": "ok", "trial-run": "ok" });
  });
});

describe("doctor on a machine that lacks something", () => {
  it.each(["getfattr", "xz", "tar", "zstd"])("names the package of %s", async (program) => {
    const report = await runDoctor({ store: join(work, "store") }, without(program));
    const found = check(report, `tool-${program}`);
    expect(found).toMatchObject({ state: "missing", required: true });
    expect(found.hint).toMatch(/apt-get install --no-install-recommends \w+/);
    expect(doctorStatus(report)).toBe(3);
    expect(renderDoctor(report, 0).join("\n")).toContain("All missing programs at once: apt-get install");
  });

  it("has no runtime", async () => {
    const report = await runDoctor({ store: join(work, "store") }, without("crun", "runc"));
    expect(states(report)).toMatchObject({ "tool-crun": "missing", "trial-overlay": "ok", "trial-run": "broken" });
    expect(check(report, "trial-run").found).toContain("no container runtime");
  });

  it("has a store that others can enter", async () => {
    const store = join(work, "open-store");
    fs.mkdirSync(store, { mode: 0o755 });
    const report = await runDoctor({ store }, machine());
    expect(check(report, "store")).toMatchObject({ state: "broken" });
    expect(check(report, "store").found).toContain("others may enter it");
    expect(doctorStatus(report)).toBe(3);
  });

  it("has a worker that does not start", async () => {
    const report = await runDoctor({ store: join(work, "store") }, machine({ workerModule: join(work, "absent.mjs") }));
    expect(check(report, "trial-run")).toMatchObject({ state: "broken" });
    expect(check(report, "trial-run").found).toContain("absent.mjs");
  });

  it("forbids user namespaces", async () => {
    const settings = {
      "/proc/sys/user/max_user_namespaces": "0\n",
      "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
    };
    const rootless = { ...withFiles(settings), uid: 4242 };
    const report = await runDoctor({ store: join(work, "store") }, rootless);
    expect(check(report, "max-user-namespaces")).toMatchObject({
      state: "broken",
      required: true,
      hint: "sudo sysctl -w user.max_user_namespaces=28633",
    });
    expect(check(report, "apparmor-restrict-unprivileged-userns").hint).toBe(
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  });

  it("has no subordinate ids for this user, or too few", async () => {
    const texts = {
      "/etc/passwd": "root:x:0:0::/root:/bin/sh\nann:x:4242:4242::/home/ann:/bin/sh\n",
      "/etc/subuid": "bob:100000:65536\nann:300000:1000\nnonsense\n",
      "/etc/subgid": "bob:100000:65536\n4242:200000:65536\n",
    };
    const report = await runDoctor({ store: join(work, "store") }, { ...withFiles(texts), uid: 4242 });
    expect(check(report, "subuid")).toMatchObject({
      state: "missing",
      found: "1000 ids, 65536 are needed",
      hint: "sudo usermod --add-subuids 301000-366535 --add-subgids 301000-366535 ann",
    });
    expect(check(report, "subgid")).toMatchObject({ state: "ok" });
  });

  it("allows too few open files, and has an old kernel and an old Node", async () => {
    const texts = {
      "/proc/self/limits":
        "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n",
      "/proc/sys/kernel/osrelease": "4.19.0-27-amd64\n",
    };
    const real = withFiles(texts);
    const old = { status: 0, signal: null, stdout: Buffer.from("v18.20.0\n"), stderr: Buffer.alloc(0) };
    const run: Machine["processes"]["run"] = async (program, args, options) =>
      program === real.node ? old : await real.processes.run(program, args, options);
    const report = await runDoctor({ store: join(work, "store") }, { ...real, processes: { ...real.processes, run } });
    expect(states(report)).toMatchObject({ "open-files": "broken", kernel: "broken", node: "broken" });
    expect(check(report, "kernel").required).toBe(!isRoot);
  });
});
