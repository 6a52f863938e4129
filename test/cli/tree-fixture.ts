/** A small tree in a temporary folder, and the command run on it as a user would. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TreeFixture {
  readonly root: string;
  /** Writes files below the tree, by path. */
  write(files: Readonly<Record<string, string>>): void;
  /** A package that copies one file of its folder. */
  addPackage(stage: string, name: string, containerfile: string, files?: Readonly<Record<string, string>>): void;
  run(...args: string[]): Outcome;
  remove(): void;
}

export function createTree(): TreeFixture {
  const folder = fs.mkdtempSync(join(tmpdir(), "stagewright-cli-"));
  const root = join(folder, "tree");
  fs.mkdirSync(join(root, "packages"), { recursive: true });
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      fs.mkdirSync(dirname(join(root, path)), { recursive: true });
      fs.writeFileSync(join(root, path), text);
    }
  };
  return {
    root,
    write,
    addPackage(stage, name, containerfile, files = {}) {
      const base = `packages/${stage}/${name}`;
      write({ [`${base}/package.toml`]: packageToml(name), [`${base}/Containerfile`]: containerfile });
      for (const [path, text] of Object.entries(files)) write({ [`${base}/${path}`]: text });
    },
    run(...args) {
      const env = { PATH: process.env["PATH"] ?? "", HOME: folder, STAGEWRIGHT_STORE: join(folder, "store") };
      const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
        cwd: root,
        env,
        encoding: "utf8",
      });
      return { status, stdout, stderr };
    },
    remove() {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function packageToml(name: string): string {
  return [
    "[package]",
    `name = "${name}"`,
    'version = "1.0"',
    'description = "A package of a test"',
    'license = "Apache-2.0"',
    'website = "https://example.org"',
    "",
  ].join("\n");
}
