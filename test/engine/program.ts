/** The command as a process of its own, on trees of its own: what tests kill, interrupt and run twice at once. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Folders of one test file. Everybody may enter them: the unprivileged user runs the program from here, too. */
export class Workspace {
  readonly folder: string;
  private counter = 0;

  constructor(name: string) {
    this.folder = fs.mkdtempSync(join(tmpdir(), `stagewright-${name}-`));
    fs.chmodSync(this.folder, 0o755);
    // A copy: the checkout's own may be made anew while a test runs, and may lie where another user cannot read it.
    fs.cpSync(join(repository, "dist"), join(this.folder, "dist"), { recursive: true });
  }

  get program(): string {
    return join(this.folder, "dist/cli/main.js");
  }

  /** A new folder of mode 0700, given to the user. */
  fresh(name: string, user?: TestUser): string {
    const path = join(this.folder, `${name}-${String(++this.counter)}`);
    fs.mkdirSync(path, { mode: 0o700 });
    if (user !== undefined) fs.chownSync(path, user.uid, user.gid);
    return path;
  }

  remove(): void {
    // Folders of users of a namespace go too, when this is root; else the tests that make them clean up.
    execFileSync("rm", ["-rf", "--", this.folder]);
  }
}

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface BuildPlace {
  readonly tree: string;
  readonly store: string;
  readonly output: string;
  readonly user?: TestUser;
}

export interface TargetReport {
  readonly id: string;
  readonly state: string;
  readonly digest: string | null;
  readonly steps: readonly {
    readonly line: number;
    readonly text: string;
    readonly diffId: string;
    readonly state: "executed" | "reused";
    readonly executedAt: number;
  }[];
  readonly error?: { readonly code: string; readonly message: string; readonly subject?: string };
}

export interface Finished {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly targets: readonly TargetReport[];
  /** The whole report. */
  readonly report: Readonly<Record<string, unknown>> | undefined;
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
}

/** Starts `stagewright build --json`; more words may follow. */
export function startBuild(workspace: Workspace, place: BuildPlace, words: readonly string[] = []): Running {
  const folders = ["--tree", place.tree, "--store", place.store, "--output", place.output];
  return startCommand(workspace, ["build", "--json", ...folders, ...words], place.user);
}

export function startCommand(workspace: Workspace, words: readonly string[], user?: TestUser): Running {
  const command = [process.execPath, workspace.program, ...words];
  const [program = "", ...args] = user === undefined ? command : [...asUser(user), ...command];
  const child = spawn(program, args, {
    cwd: workspace.folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: user?.home ?? "/nowhere" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const done = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      const report = parseReport(stdout);
      const targets = (report?.["targets"] ?? []) as readonly TargetReport[];
      resolve({ status, signal, stderr, targets, report });
    });
  });
  return { child, done };
}

function parseReport(stdout: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // a process that was killed prints no report, or a part
  }
}

/** `setpriv` words that run a command as the user, without any group or capability of ours. */
export function asUser(user: TestUser): readonly string[] {
  return ["setpriv", "--reuid", String(user.uid), "--regid", String(user.gid), "--clear-groups", "--"];
}

export function build(workspace: Workspace, place: BuildPlace, words: readonly string[] = []): Promise<Finished> {
  return startBuild(workspace, place, words).done;
}

/** Digests by target. @throws unless everything was built. */
export function digestsOf(finished: Finished): Readonly<Record<string, string>> {
  const missing = finished.targets.filter(({ digest }) => digest === null);
  if (finished.status !== 0 || finished.targets.length === 0 || missing.length > 0) {
    throw new Error(`the build ended with ${String(finished.status ?? finished.signal)}: ${finished.stderr}`);
  }
  return Object.fromEntries(finished.targets.map(({ id, digest }) => [id, digest ?? ""]));
}

/** `target:line` of the steps that were executed. */
export function executed(finished: Finished): string[] {
  return finished.targets.flatMap(({ id, steps }) =>
    steps.filter(({ state }) => state === "executed").map(({ line }) => `${id}:${String(line)}`),
  );
}

/** Processes that have a mount or an argument below the folder, as `PID command`. */
export function processesAt(folder: string): string[] {
  return fs.readdirSync("/proc").flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid) || pid === String(process.pid)) return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const state = /^State:\t(\w)/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (state === "Z" || state === "X" || state === undefined) return [];
    return command.includes(folder) || read(`/proc/${pid}/mountinfo`).includes(folder) ? [`${pid} ${command}`] : [];
  });
}

/** Mounts below the folder that this process sees. */
export function mountsAt(folder: string): string[] {
  return read("/proc/self/mounts")
    .split("\n")
    .filter((line) => line.includes(folder));
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return ""; // gone, or not ours to read
  }
}

/** Waits for the condition. @throws after the time, by default 10 s */
export async function until(what: string, condition: () => boolean, milliseconds = 10_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited too long for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A user with a range of subordinate ids, made by root where there is none; undefined where there can be none. */
export function unprivilegedUser(): TestUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ranges = fs.existsSync("/etc/subuid") ? fs.readFileSync("/etc/subuid", "utf8") : "";
  const known = /^([a-z_][a-z0-9_-]*):/m.exec(ranges)?.[1];
  const name = known ?? "stagewright-test";
  if (known === undefined) {
    execFileSync("useradd", ["--create-home", "--shell", "/bin/false", name]);
    execFileSync("usermod", ["--add-subuids", "200000-265535", "--add-subgids", "200000-265535", name]);
  }
  const line = fs
    .readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid = "", gid = "", , home = "/"] = line?.split(":") ?? [];
  return line === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid), home };
}
