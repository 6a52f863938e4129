import { describe, expect, it } from "vitest";

import { file, folder, link, type TreeShape } from "../../../../test/support/engine-tree.js";
import { diffTrees, sameLeaf } from "./tree-diff.js";

function paths(before: TreeShape, after: TreeShape): string[] {
  const entries = diffTrees(folder(before), folder(after), (a, b) => a.sha256 === b.sha256);
  return entries.map(
    (entry) => `${entry.type === "whiteout" ? "-" : entry.type === "hardlink" ? `=${entry.target} ` : ""}${entry.path}`,
  );
}

describe("the difference of two trees", () => {
  it.each<readonly [string, TreeShape, TreeShape, readonly string[]]>([
    ["nothing", { a: "1" }, { a: "1" }, []],
    ["one whiteout for a whole folder", { a: { b: { c: "1" } } }, {}, ["-a"]],
    [
      "folders above a change, and above a whiteout",
      { a: { b: { c: "1", d: "2" } } },
      { a: { b: { d: "2" } } },
      ["a", "a/b", "-a/b/c"],
    ],
    [
      "a walk by component, by bytes",
      {},
      { "a-b": "1", "a.txt": "2", a: { x: "3" }, B: "4", "\xff": "5", "\x7f": "6" },
      ["B", "a", "a/x", "a-b", "a.txt", "\x7f", "\xff"],
    ],
    ["a file in a folder's place", { a: { x: "1" } }, { a: "1" }, ["a"]],
    ["a folder in a file's place", { a: "1" }, { a: { x: "1" } }, ["a", "a/x"]],
    [
      "names like members of every object",
      { constructor: "1" },
      { __proto__x: "1", toString: "2" },
      ["__proto__x", "-constructor", "toString"],
    ],
  ])("%s", (_, before, after, expected) => {
    expect(paths(before, after)).toEqual(expected);
  });

  it("says a second name of a file as a hard link to the first of this layer", () => {
    const twice = file("x");
    expect(paths({}, { b: twice, a: { z: twice } })).toEqual(["a", "a/z", "=a/z b"]);
    const one = file("x");
    expect(paths({ a: one }, { a: one, b: one })).toEqual(["b"]);
  });

  it("sees a folder's attributes, and not its time alone", () => {
    expect(diffTrees(folder({ a: {} }), folder({ a: folder({}, { mode: 0o700 }) }), () => true)).toHaveLength(1);
    expect(diffTrees(folder({ a: {} }), folder({ a: folder({}, { mtimeSeconds: 5 }) }), () => true)).toEqual([]);
  });
});

describe("a leaf that was written again", () => {
  const never = (): boolean => {
    throw new Error("asked for content");
  };
  it.each([
    ["is the same with the same time", file("aa"), file("bb"), true],
    [
      "is the same within the grain of clocks",
      file("aa", { mtimeNanoseconds: 1000 }),
      file("aa", { mtimeNanoseconds: 1900 }),
      true,
    ],
    ["differs by time", file("aa", { mtimeNanoseconds: 1000 }), file("aa", { mtimeNanoseconds: 2100 }), false],
    ["differs by size", file("aa"), file("aaa"), false],
    ["differs by mode", file("aa"), file("aa", { mode: 0o600 }), false],
    ["differs by owner", file("aa"), file("aa", { gid: 1 }), false],
    ["differs by capability", file("aa"), file("aa", { xattrs: { "security.capability": "x" } }), false],
    ["is the same with another attribute", file("aa"), file("aa", { xattrs: { "user.a": "x" } }), true],
    ["differs by type", file("aa"), link("aa"), false],
    ["that is a link is told by the length of its target", link("aa"), link("bb"), true],
    ["that is a link differs by that length", link("aa"), link("b"), false],
  ])("%s", (_, a, b, same) => {
    expect(sameLeaf(a, b, never)).toBe(same);
  });

  it("is compared by content where its time has no nanoseconds", () => {
    const [a, b] = [file("aa", { mtimeNanoseconds: 0 }), file("bb", { mtimeNanoseconds: 0 })];
    expect([sameLeaf(a, b, () => false), sameLeaf(a, b, () => true)]).toEqual([false, true]);
    expect(sameLeaf(a, file("aa"), never)).toBe(false);
  });
});
