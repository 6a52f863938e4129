import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach } from "vitest";

import { loadTree, type LoadedTree } from "../../src/app/load-tree.js";
import type { Clock, FileSystem, Log } from "../../src/base/index.js";

/** Files of a tree: path and content. `{ stage-name: … }` shortcuts are made with {@link packageFiles}. */
export type TreeFiles = Readonly<Record<string, string | Buffer>>;

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** An empty folder that is taken away after the test. */
export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-tree-"));
  made.push(directory);
  return directory;
}

/** Writes a tree into a folder that is taken away after the test. */
export function writeTree(files: TreeFiles): string {
  const root = temporaryFolder();
  mkdirSync(join(root, "packages"));
  writeFiles(root, files);
  return root;
}

export function writeFiles(root: string, files: TreeFiles): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** The two files of a package without sources. `extra` is put at the end of `[package]`. */
export function packageFiles(id: string, containerfile: string, extra = 'version = "1.2"\n'): TreeFiles {
  const stage = id.slice(0, id.indexOf("-"));
  const name = id.slice(id.indexOf("-") + 1);
  const toml = `[package]\nname = "${name}"\ndescription = "d"\nlicense = "MIT"\nwebsite = "https://example.org"\n${extra}`;
  return {
    [`packages/${stage}/${name}/package.toml`]: toml,
    [`packages/${stage}/${name}/Containerfile`]: containerfile,
  };
}

export interface LoadOptions {
  readonly cache?: { readonly directory: string; readonly uid: number; readonly tool: string };
  readonly fileSystem?: FileSystem;
  /** Milliseconds that the clock is ahead. */
  readonly ahead?: number;
}

/** Loads a tree as the program does; warnings of the log are collected. */
export function load(root: string, options: LoadOptions = {}): LoadedTree & { readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const log: Log = { info: () => undefined, warn: (message) => warnings.push(message) };
  const now = (): number => Date.now() + (options.ahead ?? 0);
  const clock: Clock = { now, monotonic: now, sleep: async () => undefined };
  return { ...loadTree({ fs: options.fileSystem ?? fs, root, cache: options.cache, clock, log }), warnings };
}

export const tool = { name: "stagewright", version: "0.0.0-test" };
