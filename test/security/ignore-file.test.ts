/** What stands in the place of an ignore file may be anything: a build context is a folder that others wrote. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

import { afterEach, beforeEach, expect, test } from "vitest";

import { readIgnorePatterns } from "../../src/app/index.js";
import { limits } from "../../src/base/index.js";
import { nodeFileSystem } from "../../src/host/index.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/ignore-file-`);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const read = (): readonly string[] => readIgnorePatterns(folder, "Containerfile", nodeFileSystem);

test("CF-80: a plain file is read, the one beside the Containerfile first", () => {
  writeFileSync(`${folder}/.dockerignore`, "a\n");
  expect(read()).toEqual(["a"]);
  writeFileSync(`${folder}/Containerfile.dockerignore`, "b\n");
  expect(read()).toEqual(["b"]);
});

test.each<readonly [string, (path: string) => void]>([
  [
    "a link to a file of which no cache key knows",
    (path) => {
      writeFileSync(`${folder}/elsewhere`, "a\n");
      symlinkSync(`${folder}/elsewhere`, path);
    },
  ],
  ["a link that leads nowhere", (path) => symlinkSync("/nonexistent", path)],
  ["a pipe that nobody writes to", (path) => execFileSync("mkfifo", [path])],
  ["a folder", (path) => execFileSync("mkdir", [path])],
  [
    "a file of more than the limit",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, limits.containerfileSize + 1);
    },
  ],
])("CF-80: %s is refused, and named", (_what, make) => {
  for (const name of [".dockerignore", "Containerfile.dockerignore"]) {
    const path = `${folder}/${name}`;
    make(path);
    expect(read).toThrow(expect.objectContaining({ kind: "malformed", code: "bad-dockerignore", subject: path }));
    rmSync(path, { recursive: true });
    rmSync(`${folder}/elsewhere`, { force: true });
  }
});
