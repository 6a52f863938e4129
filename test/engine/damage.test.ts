/** Rules EN-35 to EN-38: torn and changed files of the store are found where they are used, and made anew. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { Workspace, build, digestsOf, executed, type BuildPlace, type Finished } from "./program.js";
import { writeTree } from "./small-tree.js";

let workspace: Workspace;
let pristine: string;
let tree: string;
let store: string;
let digests: Readonly<Record<string, string>>;

beforeAll(async () => {
  workspace = new Workspace("damage");
  tree = writeTree(workspace.fresh("tree"));
  pristine = workspace.fresh("pristine");
  digests = digestsOf(await build(workspace, { tree, store: pristine, output: join(workspace.fresh("out"), "out") }));
});

beforeEach(() => {
  store = workspace.fresh("store");
  fs.cpSync(pristine, store, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter: isPlain });
});

afterAll(() => workspace.remove());

/** Folders for mounts hold devices, which the copy leaves out: they are made anew from the layers. */
function isPlain(path: string): boolean {
  return !path.includes("/roots/");
}

const damages: readonly ((path: string) => void)[] = [
  (path) => fs.truncateSync(path, Math.floor(fs.statSync(path).size / 2)),
  flipBit,
  (path) => fs.rmSync(path),
  (path) => fs.truncateSync(path, 0),
];

function flipBit(path: string): void {
  const data = fs.readFileSync(path);
  const at = Math.floor(data.length / 2);
  data[at] = (data[at] ?? 0) ^ 1;
  fs.writeFileSync(path, data);
}

function filesOf(folder: string, ending: string): string[] {
  const names = fs.readdirSync(join(store, folder)).filter((name) => name.endsWith(ending));
  expect(names.length, `files in ${folder}`).toBeGreaterThan(0);
  return names.map((name) => join(store, folder, name));
}

/** A new output folder, so that every image is written again from the store. */
const outputAnew = (): BuildPlace => ({ tree, store, output: join(workspace.fresh("out"), "out") });

const rebuilt = (finished: Finished) => {
  expect(digestsOf(finished), finished.stderr).toEqual(digests);
  return executed(finished);
};

describe("files that are cut off, gone or have another bit", () => {
  it.each([
    ["records of steps", "steps", ".json"],
    ["records of layers", "layers", ".json"],
    ["records of targets", "targets", ".json"],
    ["layers", "blobs", ".tar"],
    ["compressed layers", "gzip", ".gz"],
    ["records of compressed layers", "gzip", ".json"],
  ])("%s: the same image, or made anew (EN-35, EN-36, EN-37)", async (_, folder, ending) => {
    for (const [index, path] of filesOf(folder, ending).entries()) damages[index % damages.length]?.(path);
    rebuilt(await build(workspace, outputAnew()));
    expect(rebuilt(await build(workspace, outputAnew())), "mended for good").toEqual([]);
  });
});

describe("folders for mounts", () => {
  it("that were made before the machine was started are made anew (EN-12)", async () => {
    const old = join(store, "roots/00000000-stale");
    fs.mkdirSync(join(old, "etc"), { recursive: true });
    rebuilt(await build(workspace, outputAnew()));
    expect(fs.existsSync(old)).toBe(false);
  });
});

describe("one bit", () => {
  it("of a layer and of its compressed form together costs the steps that made it", async () => {
    for (const path of [...filesOf("blobs", ".tar"), ...filesOf("gzip", ".gz")]) flipBit(path);
    expect(rebuilt(await build(workspace, outputAnew()))).not.toEqual([]);
  });

  it("of a layer is found by a COPY that reads it, and by a RUN that stands on it (EN-36)", async () => {
    for (const path of [...filesOf("blobs", ".tar")]) flipBit(path);
    for (const path of filesOf("steps", ".json")) fs.rmSync(path);
    rebuilt(await build(workspace, outputAnew()));
  });

  it("of what a dependency's image needs is mended from the layout that was written", async () => {
    const place = outputAnew();
    rebuilt(await build(workspace, place));
    for (const folder of ["blobs", "gzip", "layers", "steps"])
      for (const name of fs.readdirSync(join(store, folder))) fs.rmSync(join(store, folder, name));
    const file = join(tree, "packages/user/three/Containerfile");
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace("FROM", "# a comment\nFROM"));
    const again = await build(workspace, place);
    fs.writeFileSync(file, text);
    const done = rebuilt(again);
    expect(
      done.every((step) => step.startsWith("user-three:")),
      done.join(" "),
    ).toBe(true);
  });

  it("of a record of a target that others stand on changes none of their images", async () => {
    const place = outputAnew();
    rebuilt(await build(workspace, place));
    for (const path of filesOf("targets", ".json")) if (!path.includes("/tree-")) flipBit(path);
    const file = join(tree, "packages/user/three/Containerfile");
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace("FROM", "# another comment\nFROM"));
    const again = await build(workspace, place);
    fs.writeFileSync(file, text);
    rebuilt(again);
  });
});
