/** Small trees that the command itself builds, as this user or as one without privileges: for tests of the sandbox. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readImage } from "../parity/image.js";
import { layOutTools } from "../parity/lay-out.js";
import { readMember } from "./member.js";

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const ownUid = process.getuid?.() ?? 0;

export const asRoot = ownUid === 0;

/** Who builds in tests that are about both: root where there is one, and a user without privileges. */
export function builders(): readonly TestUser[] {
  return asRoot ? [self, userWithoutPrivileges()] : [self];
}

/** The user who runs the tests. */
export const self: TestUser = { name: "self", uid: ownUid, gid: process.getgid?.() ?? 0 };

const testUser = "stagewright-test";

/**
 * A user without privileges that has a range of subordinate ids: this one, or as root any that the machine has. Root
 * makes one where there is none; it stays, as its ids may not be given out again.
 */
export function userWithoutPrivileges(): TestUser {
  if (!asRoot) return self;
  const found = subordinateUsers();
  if (found[0] !== undefined) return found[0];
  spawnSync("useradd", ["--shell", "/usr/sbin/nologin", "--no-create-home", testUser]);
  const [made] = subordinateUsers();
  if (made === undefined) throw new Error("useradd made no user with subordinate ids: see /etc/subuid");
  return made;
}

function subordinateUsers(): TestUser[] {
  const names = (path: string): string[] =>
    fs.existsSync(path)
      ? [...fs.readFileSync(path, "utf8").matchAll(/^([^:]+):\d+:(\d+)$/gm)]
          .filter(([, , count]) => Number(count) >= 65_536)
          .map(([, name = ""]) => name)
      : [];
  const groups = new Set(names("/etc/subgid"));
  const users: TestUser[] = [];
  for (const line of fs.readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name = "", , uid, gid] = line.split(":");
    if (name === "root" || !names("/etc/subuid").includes(name) || !groups.has(name)) continue;
    users.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

export interface BuildOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  readonly contexts?: Readonly<Record<string, string>>;
  /** What the command's standard input and its descriptor 3 are; nothing without. */
  readonly descriptors?: readonly [input: number, third: number];
}

/** A tree with one target, `user-probe`, and a store, in a folder of their own. */
export class SandboxTree {
  readonly folder: string;
  readonly tools: string;
  private readonly package: string;

  constructor(readonly user: TestUser = self) {
    this.folder = fs.mkdtempSync(join(tmpdir(), "stagewright-sandbox-"));
    this.package = join(this.folder, "tree/packages/user/probe");
    fs.mkdirSync(this.package, { recursive: true });
    fs.mkdirSync(join(this.folder, "store"), { mode: 0o700 });
    fs.mkdirSync(join(this.folder, "out"));
    this.tools = layOutTools(join(this.folder, "tools"));
    const description =
      'name = "probe"\nversion = "1"\ndescription = "test"\nlicense = "MIT"\nwebsite = "https://example.org"\n';
    this.write("package.toml", `[package]\n${description}`);
    this.giveAway();
  }

  get store(): string {
    return join(this.folder, "store");
  }

  /** Puts a file beside the Containerfile. */
  write(name: string, text: string): void {
    const path = join(this.package, name);
    fs.mkdirSync(join(path, ".."), { recursive: true });
    fs.writeFileSync(path, text);
  }

  /** The policy: `stagewright.toml`. */
  configure(text: string): void {
    fs.writeFileSync(join(this.folder, "tree/stagewright.toml"), text);
  }

  /** Starts the build of a Containerfile and gives the process. */
  start(containerfile: string, options: BuildOptions = {}): ChildProcess {
    this.write("Containerfile", containerfile);
    this.giveAway();
    const contexts = { tools: this.tools, ...options.contexts };
    const flags = Object.entries(contexts).flatMap(([name, path]) => ["--build-context", `${name}=${path}`]);
    const folders = ["--tree", join(this.folder, "tree"), "--store", this.store, "--output", join(this.folder, "out")];
    const args = [command, "build", "user-probe", ...folders, ...flags, ...(options.arguments ?? [])];
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.folder, ...options.environment };
    const { uid, gid } = this.user;
    const identity = uid === ownUid ? {} : { uid, gid };
    const [input, third] = options.descriptors ?? ["ignore" as const, "ignore" as const];
    const stdio = [input, "pipe" as const, "pipe" as const, third];
    return spawn(process.execPath, args, { ...identity, env, stdio, cwd: this.folder });
  }

  async build(containerfile: string, options: BuildOptions = {}): Promise<CommandResult> {
    return await finished(this.start(containerfile, options));
  }

  /**
   * Runs a shell script as one RUN on a root that has only busybox, and gives what it printed.
   * @param flags of the RUN.
   * @throws when the build fails.
   */
  async run(script: string, flags = "", options: BuildOptions & { readonly before?: string } = {}): Promise<string> {
    const result = await this.build(this.scriptCase(script, flags, options.before), options);
    if (result.status !== 0)
      throw new Error(`the build ended with ${String(result.status)}: ${result.stderr}${result.stdout}`);
    return this.result().toString("latin1").trimEnd();
  }

  scriptCase(script: string, flags = "", before = ""): string {
    this.write("probe.sh", script);
    return [
      "FROM scratch AS probed",
      "COPY --from=tools / /bin/",
      "COPY probe.sh /",
      before,
      `RUN ${flags} ["/bin/sh", "-c", "sh /probe.sh >/result 2>&1"]`,
      "FROM scratch",
      "COPY --from=probed /result /result",
      "",
    ].join("\n");
  }

  /** The file `result` of the image that was built last. */
  result(): Buffer {
    return readMember(readImage(join(this.folder, "out/user-probe")), "result");
  }

  remove(): void {
    // Files of a rootless store belong to users of its namespace.
    if (asRoot || this.user.uid === ownUid) {
      spawnSync("chmod", ["-R", "u+rwx", this.folder]);
      const rootless = ["--user", "--map-root-user", "--map-auto", "rm", "-rf", this.folder];
      spawnSync(asRoot ? "rm" : "unshare", asRoot ? ["-rf", this.folder] : rootless);
    }
  }

  private giveAway(): void {
    if (this.user.uid !== ownUid) {
      spawnSync("chown", [
        "-R",
        `${String(this.user.uid)}:${String(this.user.gid)}`,
        join(this.folder, "tree"),
        join(this.folder, "out"),
      ]);
      fs.chownSync(this.store, this.user.uid, this.user.gid);
      fs.chownSync(this.folder, this.user.uid, this.user.gid);
    }
  }
}

export function finished(child: ChildProcess): Promise<CommandResult> {
  const said = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (said.stdout += chunk.toString("latin1")));
  child.stderr?.on("data", (chunk: Buffer) => (said.stderr += chunk.toString("latin1")));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, ...said });
    });
  });
}
