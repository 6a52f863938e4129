/** Rules EN-50 to EN-54: without root the same bytes, or none. Root starts these, as another user. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  Workspace,
  build,
  digestsOf,
  executed,
  mountsAt,
  processesAt,
  startBuild,
  unprivilegedUser,
  until,
  type BuildPlace,
} from "./program.js";
import { runParityAs } from "./rootless-parity.js";
import { packageText, shareFolder, shellPackage, smallTree, writeTree, type TreeText } from "./small-tree.js";

const user = unprivilegedUser();
if (user === undefined) console.warn("SKIPPED: builds as another user are tested as root only");

let workspace: Workspace;

beforeAll(() => {
  workspace = new Workspace("rootless");
});
afterAll(() => workspace.remove());

function places(text: TreeText = smallTree): { readonly root: BuildPlace; readonly rootless: BuildPlace } {
  if (user === undefined) throw new Error("no user");
  const tree = shareFolder(writeTree(workspace.fresh("tree"), text));
  const place = (who?: typeof user): BuildPlace => ({
    tree,
    store: workspace.fresh("store", who),
    output: join(workspace.fresh("out", who), "out"),
    ...(who === undefined ? {} : { user: who }),
  });
  return { root: place(), rootless: place(user) };
}

describe.skipIf(user === undefined)("without root", () => {
  it("a tree gives the same digests (EN-50)", async () => {
    const { root, rootless } = places();
    const [first, second] = [await build(workspace, root), await build(workspace, rootless)];
    expect(digestsOf(second), second.stderr).toEqual(digestsOf(first));
    const again = await build(workspace, { ...rootless, output: join(workspace.fresh("out", user), "out") });
    expect(executed(again)).toEqual([]);
  });

  it("a killed build leaves nothing that the next one cannot remove (EN-51)", async () => {
    const file = "FROM stagex/core-shell\nRUN --network=none chown 1000 /bin && echo begun && sleep 100\n";
    const { rootless } = places({ ...shellPackage, ...packageText("core", "long", file) });
    const log = join(rootless.store, "logs/core-long.log");
    const { child, done } = startBuild(workspace, rootless);
    await until("the RUN", () => fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("begun"));
    child.kill("SIGKILL");
    await done;
    await until("the end of all processes", () => processesAt(workspace.folder).length === 0, 5000);
    expect(mountsAt(workspace.folder)).toEqual([]);
    expect((await build(workspace, rootless, ["shell"])).status).toBe(0);
    expect(fs.readdirSync(join(rootless.store, "tmp"))).toEqual([]);
  });

  it.each([
    [
      "an owner that the namespace does not have",
      "FROM stagex/core-shell\nCOPY --chown=3000000 f /f\nRUN --network=none true\n",
    ],
    ["a device in a layer below a RUN", "FROM stagex/core-shell\nADD device.tar /\nRUN --network=none true\n"],
  ])("%s ends a RUN with status 3 (EN-52)", async (_, file) => {
    const { root, rootless } = places({
      ...shellPackage,
      ...packageText("core", "owner", file),
      "packages/core/owner/f": "f",
    });
    fs.writeFileSync(join(root.tree, "packages/core/owner/device.tar"), deviceTar());
    const finished = await build(workspace, rootless);
    expect(finished.status, finished.stderr).toBe(3);
    const failed = finished.targets.find(({ id }) => id === "core-owner");
    expect(failed).toMatchObject({ state: "failed", digest: null, error: { code: "needs-root" } });
    expect((await build(workspace, root)).status).toBe(0);
  });

  it.each([
    ["makes a device", "mknod /d c 1 3 2>/dev/null || echo refused > /refused"],
    ["makes a block device in the background", "(mknod /d b 7 0; true) & sleep 2; true"],
    ["gives a file away", "touch /f; chown 3000000 /f 2>/dev/null || true"],
    ["gives a file to a group outside the range", "touch /f; chown 0:70000 /f 2>/dev/null || true"],
  ])("a RUN that %s and shrugs off that it could not ends with status 3 (EN-52, SU-23)", async (_, command) => {
    const { rootless } = places({ ...shellPackage, ...packageText("core", "shrugs", runOf(command)) });
    const finished = await build(workspace, rootless);
    expect(finished.status, finished.stderr).toBe(3);
    const failed = finished.targets.find(({ id }) => id === "core-shrugs");
    expect(failed).toMatchObject({ state: "failed", digest: null, error: { code: "needs-root" } });
    expect(processesAt(workspace.folder)).toEqual([]);
  });

  it.each([
    ["owners in the range", "touch /f; chown 65535:65535 /f; chown 0 /f; chown :7 /f"],
    ["pipes", "mknod /p p"],
    ["a failure that root has too", "chown 3000000 /none 2>/dev/null || echo refused > /r", "USER 7:7\n"],
    ["a failing command", "chown 5 /none || true; cp /none /there || true"],
  ])("a RUN with %s gives the same bytes (EN-50)", async (_, command, before = "") => {
    const file = runOf(command, before).replace("/r", "/tmp/r");
    const { root, rootless } = places({ ...shellPackage, ...packageText("core", "may", file) });
    expect(digestsOf(await build(workspace, rootless))).toEqual(digestsOf(await build(workspace, root)));
  });

  it("a COPY to any owner gives the same bytes (EN-52)", async () => {
    const text = packageText("core", "owner", "FROM scratch\nCOPY --chown=3000000:4000000 f /f\n");
    const { root, rootless } = places({ ...text, "packages/core/owner/f": "f" });
    expect(digestsOf(await build(workspace, rootless))).toEqual(digestsOf(await build(workspace, root)));
  });

  it("the parity suite passes (PA-13)", { timeout: 400_000 }, async () => {
    if (user === undefined) return;
    const { tests, failures, stderr } = await runParityAs(user, workspace);
    expect(failures.map(({ name, error }) => `${name}\n${error}`).join("\n\n"), stderr).toBe("");
    expect(tests).toBeGreaterThan(270);
  });
});

const runOf = (command: string, before = ""): string =>
  `FROM stagex/core-shell\nRUN --network=none mkdir -m 1777 /tmp\n${before}RUN --network=none ${command}\n`;

/** A tar with one character device, `null` (1, 3). */
function deviceTar(): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  header.write("device", 0, "latin1");
  octal(0o644, 100, 8);
  for (const at of [108, 116]) octal(0, at, 8);
  for (const at of [124, 136]) octal(0, at, 12);
  header.write("        3", 148, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  octal(1, 329, 8);
  octal(3, 337, 8);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return Buffer.concat([header, Buffer.alloc(1024)]);
}
