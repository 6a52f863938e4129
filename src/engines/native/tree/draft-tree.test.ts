import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { file, folder, listing, plain } from "../../../../test/support/engine-tree.js";
import { DraftTree, applyLayer } from "./draft-tree.js";
import type { FolderNode, HashedEntry } from "./file-tree.js";
import { emptyTree, nodeAt } from "./file-tree.js";
import { diffTrees } from "./tree-diff.js";

const base = folder({ a: { b: { f: "1" }, g: "2" }, l: "-> a" });
const attributes = { ...plain, mode: 0o700 };

describe("a draft", () => {
  it("leaves the base as it was, and shares what it does not open", () => {
    const draft = new DraftTree(base);
    draft.put(["a", "new"], file("n"));
    const after = draft.freeze();
    expect(listing(base)).not.toContain('/a/new 644 "n"');
    expect(listing(after)).toContain('/a/new 644 "n"');
    expect(nodeAt(after, ["a", "b"])).toBe(nodeAt(base, ["a", "b"]));
  });

  it("gives folders attributes, keeps what they hold, and replaces leaves by folders", () => {
    const draft = new DraftTree(base);
    draft.putFolder(["a"], attributes);
    draft.putFolder(["a", "g"], attributes);
    draft.putFolder([], { ...attributes, uid: 5 });
    const after = draft.freeze();
    expect(listing(after)).toEqual(["/a 700 /", "/a/b 755 /", '/a/b/f 644 "1"', "/a/g 700 /", "/l 777 -> a"]);
    expect(after.uid).toBe(5);
  });

  it("makes missing folders only", () => {
    const draft = new DraftTree(base);
    draft.makeFolders(["a", "c", "d"], attributes);
    expect(listing(draft.freeze()).filter((text) => text.includes("700"))).toEqual(["/a/c 700 /", "/a/c/d 700 /"]);
  });

  it.each([
    ["a leaf on the way", ["a", "g", "x"]],
    ["nothing on the way", ["no", "x"]],
    ["a link on the way", ["l", "x"]],
  ])("refuses %s", (_, parts) => {
    expect(() => new DraftTree(base).put(parts, file(""))).toThrow(expect.objectContaining({ code: "not-a-folder" }));
  });

  it("resolves links in what was put a moment ago", () => {
    const draft = new DraftTree(base);
    draft.put(["up"], { ...plain, type: "symlink", target: "../../l/b" });
    expect(draft.resolve("/up/f/../x")).toEqual(["a", "b", "x"]);
  });
});

describe("applying a layer", () => {
  const entry = (path: string, more: object): HashedEntry => ({ ...plain, path, ...more }) as HashedEntry;

  it.each<readonly [string, readonly HashedEntry[], readonly string[]]>([
    ["a whiteout of a folder", [{ type: "whiteout", path: "a" }], ["/l 777 -> a"]],
    [
      "a whiteout of nothing",
      [
        { type: "whiteout", path: "zz" },
        { type: "whiteout", path: "a" },
      ],
      ["/l 777 -> a"],
    ],
    [
      "a hard link",
      [entry("h", { type: "hardlink", target: "a/g" }), { type: "whiteout", path: "a/b" }],
      ["/a 755 /", '/a/g 644 "2"', "/h 644 = /a/g", "/l 777 -> a"],
    ],
    ["a leaf over a folder", [entry("a", { type: "fifo" })], ["/a 644 fifo", "/l 777 -> a"]],
    [
      "folders that no entry names",
      [entry("x/y", { type: "character", major: 1, minor: 3 }), { type: "whiteout", path: "a" }],
      ["/l 777 -> a", "/x 755 /", "/x/y 644 character 1,3"],
    ],
  ])("%s", (_, entries, expected) => {
    expect(listing(applyLayer(base, entries))).toEqual(expected);
  });

  it.each([
    ["to nothing", "no/such"],
    ["to a folder", "a"],
    ["out of the root", "../a/g"],
  ])("refuses a hard link %s", (_, target) => {
    const entries = [entry("h", { type: "hardlink", target })];
    expect(() => applyLayer(base, entries)).toThrow(expect.objectContaining({ code: "bad-hardlink", subject: "h" }));
  });

  it("follows no link of the image: a name below one is an error, not a file elsewhere", () => {
    expect(() => applyLayer(base, [entry("l/x", { type: "fifo" })])).toThrow(
      expect.objectContaining({ code: "not-a-folder" }),
    );
  });
});

/** Trees of up to three levels, with names that collide. */
const tree: fc.Arbitrary<FolderNode> = fc.letrec<{ node: FolderNode | ReturnType<typeof file>; folder: FolderNode }>(
  (tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc
        .tuple(fc.string({ maxLength: 3 }), fc.constantFrom(0o644, 0o755), fc.nat({ max: 2 }))
        .map(([text, mode, uid]) => file(text, { mode, uid, mtimeNanoseconds: 0 })),
      tie("folder"),
    ),
    folder: fc
      .dictionary(fc.constantFrom("a", "b", "c.d", "\xff"), tie("node"), { maxKeys: 4 })
      .map((shape) => folder(shape)),
  }),
).folder;

const sameContent = (a: { sha256?: string }, b: { sha256?: string }): boolean => a.sha256 === b.sha256;

describe("a layer made of two trees", () => {
  it("turns the one into the other", () => {
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const layer = diffTrees(before, after, sameContent);
        expect(listing(applyLayer(before, layer))).toEqual(listing(after));
        expect(diffTrees(after, after, sameContent)).toEqual([]);
        expect(listing(applyLayer(emptyTree, diffTrees(emptyTree, after, sameContent)))).toEqual(listing(after));
      }),
    );
  });
});
