/** What the cases build: made anew with fixed seeds, the same bytes on every machine. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { randomBytes, words } from "../bench-gzip.js";
import { generateTree } from "../generate-tree.js";

/** A tree of 500 targets that can be built, with the folder of its sources. */
export interface LargeTree {
  readonly root: string;
  readonly distfiles: string;
}

export function makeLargeTree(folder: string): LargeTree {
  const made = { root: join(folder, "tree"), distfiles: join(folder, "distfiles") };
  generateTree(made.root, { targets: 500, seed: 1, distfiles: made.distfiles });
  return made;
}

/** Steps of the case with many RUNs. */
const runSteps = 20;
/** Rounds of the loop of the compute-bound RUN: some ten seconds, so that the start of the command weighs little. */
const loopRounds = 6_000_000;
export const loopScript = `i=0; while [ $i -lt ${String(loopRounds)} ]; do i=$((i+1)); done`;
const fileCount = 20_000;
const filesPerFolder = 100;
const fileSize = 10_240;

/** A static program that is a shell: the image of a RUN holds nothing else. */
export const shellProgram = "/usr/bin/busybox";
export const shellInImage = "/bin/busybox";

const shellRun = (script: string): string => `RUN --network=none ${JSON.stringify([shellInImage, "sh", "-c", script])}`;
const onShell = ["FROM scratch AS package", `COPY busybox ${shellInImage}`];

const packages = {
  "one-copy": ["FROM scratch AS package", "COPY hello.txt /hello.txt"],
  "twenty-runs": [
    ...onShell,
    ...Array.from({ length: runSteps }, (_, step) => shellRun(`echo ${String(step)} > /f${String(step)}`)),
  ],
  compute: [...onShell, shellRun(loopScript)],
  "many-files": ["FROM scratch AS package", "COPY data /data"],
} as const;

export type SmallPackage = keyof typeof packages;

/** Folder of a package in the tree of {@link makeSmallTree}. */
export function packageFolder(root: string, name: SmallPackage): string {
  return join(root, "packages", "core", name);
}

/** A tree with one package for each case. */
export function makeSmallTree(root: string): void {
  for (const [name, lines] of Object.entries(packages)) {
    const folder = packageFolder(root, name as SmallPackage);
    mkdirSync(folder, { recursive: true });
    const about = 'description = "a case of the bench"\nlicense = "MIT"\nwebsite = "https://example.org/"';
    writeFileSync(join(folder, "package.toml"), `[package]\nname = "${name}"\nversion = "1"\n${about}\n`);
    writeFileSync(join(folder, "Containerfile"), `${lines.join("\n")}\n`);
  }
  writeFileSync(join(packageFolder(root, "one-copy"), "hello.txt"), "Hello, reader.\n");
  for (const name of ["twenty-runs", "compute"] as const) {
    copyFileSync(shellProgram, join(packageFolder(root, name), "busybox"));
  }
  makeFiles(join(packageFolder(root, "many-files"), "data"));
}

/** 20,000 files of 10 KB in 200 folders, every other one of words, the rest random. */
function makeFiles(folder: string): void {
  for (let index = 0; index < fileCount; index++) {
    const below = join(folder, `d${String(Math.floor(index / filesPerFolder)).padStart(3, "0")}`);
    if (index % filesPerFolder === 0) mkdirSync(below, { recursive: true });
    const content = index % 2 === 0 ? randomBytes(fileSize, index) : words(fileSize, index);
    writeFileSync(join(below, `f${String(index).padStart(5, "0")}`), content);
  }
}
