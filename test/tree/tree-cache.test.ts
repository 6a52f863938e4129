import * as fs from "node:fs";
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { load, packageFiles, temporaryFolder, writeFiles, writeTree, type LoadOptions } from "./tree-fixture.js";

const uid = process.getuid?.() ?? 0;
const later = 60_000;

function cacheIn(directory: string, tool = "stagewright 1"): NonNullable<LoadOptions["cache"]> {
  return { directory, uid, tool };
}

function cacheFile(directory: string): string {
  const [name = ""] = readdirSync(directory);
  return join(directory, name);
}

/** A file system that counts how often a file of the tree is read. */
function counting(root: string): { readonly fileSystem: typeof fs; readonly reads: string[] } {
  const reads: string[] = [];
  const readFile = ((path: string, ...rest: []) => {
    if (path.startsWith(`${root}/packages/`)) reads.push(path.slice(root.length + 1));
    return readFileSync(path, ...rest);
  }) as typeof fs.readFileSync;
  return { fileSystem: { ...fs, readFileSync: readFile }, reads };
}

const files = {
  ...packageFiles("core-a", "FROM scratch\n"),
  ...packageFiles("user-b", "FROM stagex/core-a\n", 'version = "1"\ncolour = 2\n'),
  ...packageFiles("pallet-a", "ARG VERSION\nFROM stagex/core-${VERSION}\n", 'version_from = "core-a"\n'),
};

function warm(): { readonly root: string; readonly directory: string } {
  const root = writeTree(files);
  const directory = join(temporaryFolder(), "cache");
  load(root, { cache: cacheIn(directory), ahead: later });
  return { root, directory };
}

test("TR-60: a second run reads no file and gives the same", () => {
  const { root, directory } = warm();
  const { fileSystem, reads } = counting(root);
  const again = load(root, { cache: cacheIn(directory), fileSystem });
  expect(reads).toEqual([]);
  const { warnings, ...fresh } = load(root);
  expect({ ...again, warnings }).toEqual({ ...fresh, warnings: [] });
});

test("TR-60: only what changed is read again", () => {
  const { root, directory } = warm();
  writeFiles(root, packageFiles("user-b", "FROM scratch\n"));
  const { fileSystem, reads } = counting(root);
  const { graph } = load(root, { cache: cacheIn(directory), fileSystem });
  expect(new Set(reads)).toEqual(new Set(["packages/user/b/Containerfile", "packages/user/b/package.toml"]));
  expect(graph.targets.get("user-b")?.dependencies).toEqual([]);
  expect(graph.problems).toMatchObject([{ rule: "unknown-target", file: "packages/pallet/a/Containerfile" }]);
});

test("TR-60: a changed version changes what stands on it through version_from", () => {
  const { root, directory } = warm();
  writeFiles(root, { ...packageFiles("core-a", "FROM scratch\n", 'version = "a"\n') });
  const { graph } = load(root, { cache: cacheIn(directory) });
  expect(graph.targets.get("pallet-a")).toMatchObject({ version: "a", dependencies: ["core-a"] });
});

test("TR-60: packages that come and go", () => {
  const { root, directory } = warm();
  rmSync(join(root, "packages/user/b"), { recursive: true });
  writeFiles(root, packageFiles("user-c", "FROM stagex/core-a\n"));
  rmSync(join(root, "packages/core/a/Containerfile"));
  const { graph } = load(root, { cache: cacheIn(directory) });
  expect(graph.problems.map(({ rule }) => rule)).toContain("missing-containerfile");
  expect([...graph.targets.keys()]).toEqual(["pallet-a", "user-c"]);
});

describe("TR-61: times stand for content only when they are old enough", () => {
  test("a file that changed a moment before the look is hashed", () => {
    const root = writeTree(files);
    const directory = temporaryFolder();
    load(root, { cache: cacheIn(directory) });
    const { fileSystem, reads } = counting(root);
    load(root, { cache: cacheIn(directory), fileSystem });
    expect(reads).toHaveLength(6);
  });

  test("the same size and times with another content are seen through", () => {
    const root = writeTree(files);
    const directory = temporaryFolder();
    const path = join(root, "packages/core/a/package.toml");
    load(root, { cache: cacheIn(directory) });
    const lied = statSync(path, { bigint: true });
    writeFileSync(path, readFileSync(path, "utf8").replace("1.2", "3.4"));
    const fake = ((file: string, options: { bigint: true }) => {
      const stat = fs.lstatSync(file, options);
      return file === path
        ? Object.assign(stat, {
            mtimeNs: lied.mtimeNs,
            ctimeNs: lied.ctimeNs,
            mtimeMs: lied.mtimeMs,
            ctimeMs: lied.ctimeMs,
          })
        : stat;
    }) as unknown as typeof fs.lstatSync;
    const { graph } = load(root, { cache: cacheIn(directory), fileSystem: { ...fs, lstatSync: fake } });
    expect(graph.targets.get("core-a")?.version).toBe("3.4");
  });

  test("an old modification time alone does not help: the change time counts", () => {
    const { root, directory } = warm();
    const path = join(root, "packages/core/a/package.toml");
    const before = statSync(path);
    writeFileSync(path, readFileSync(path, "utf8").replace("1.2", "3.4"));
    utimesSync(path, before.atime, before.mtime);
    expect(load(root, { cache: cacheIn(directory) }).graph.targets.get("core-a")?.version).toBe("3.4");
  });
});

test("TR-62: the head of the cache is the hash of the rest, and nothing is left beside it", () => {
  const { directory } = warm();
  expect(readdirSync(directory)).toHaveLength(1);
  const raw = readFileSync(cacheFile(directory));
  const end = raw.indexOf("\n");
  const head = raw.subarray(0, end).toString().split(" ");
  expect(head.slice(0, 2)).toEqual(["stagewright-tree-cache", "1"]);
  expect(head[2]).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(cacheFile(directory)).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test("TR-63: another version of the program does not use it", () => {
  const { root, directory } = warm();
  const { fileSystem, reads } = counting(root);
  load(root, { cache: cacheIn(directory, "stagewright 2"), fileSystem });
  expect(reads.length).toBeGreaterThan(0);
});

test("TR-64: a cache that others may write is not used, and that is said", () => {
  const { root, directory } = warm();
  chmodSync(cacheFile(directory), 0o622);
  const { warnings } = load(root, { cache: cacheIn(directory) });
  expect(warnings).toEqual([expect.stringContaining("another user owns or may write it")]);
  const other = load(root, { cache: { ...cacheIn(temporaryFolder()), uid: uid + 1 } });
  expect(other.warnings).toEqual([expect.stringContaining("another user owns or may write its folder")]);
});

test("TR-65: a cache that cannot be written is a warning", () => {
  const root = writeTree(files);
  const full = (() => {
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  }) as typeof fs.writeFileSync;
  const { warnings, graph } = load(root, {
    cache: cacheIn(temporaryFolder()),
    fileSystem: { ...fs, writeFileSync: full },
  });
  expect(warnings).toEqual([expect.stringContaining("no space left on device")]);
  expect(graph.targets.size).toBe(3);
});

test("TR-65: a file in the cache folder's place is a warning", () => {
  const directory = join(temporaryFolder(), "file");
  writeFileSync(directory, "");
  expect(load(writeTree(files), { cache: cacheIn(directory) }).warnings).toHaveLength(1);
});
