import { describe, expect, it } from "vitest";

import { file, folder, link, listing, type TreeShape } from "../../../../test/support/engine-tree.js";
import { copyPath, makeFolder, type CopyOptions } from "./copy.js";
import { DraftTree } from "./draft-tree.js";

const asIs: CopyOptions = { owner: undefined, mode: undefined, excluded: undefined };

function copied(
  base: TreeShape,
  source: TreeShape,
  from: string,
  to: string,
  options: Partial<CopyOptions> = {},
): string[] {
  const draft = new DraftTree(folder(base));
  copyPath(draft, folder(source), from, to, { ...asIs, ...options });
  return listing(draft.freeze());
}

describe("COPY on trees (EN-11)", () => {
  it.each<readonly [string, TreeShape, TreeShape, string, string, readonly string[]]>([
    ["a file to a new name, folders made", {}, { f: "1" }, "/f", "/a/b", ["/a 755 /", '/a/b 644 "1"']],
    ["a file into a new folder", {}, { f: "1" }, "/f", "/a/", ["/a 755 /", '/a/f 644 "1"']],
    ["a file into a folder that is there", { a: {} }, { f: "1" }, "/f", "/a", ["/a 755 /", '/a/f 644 "1"']],
    ["what a folder holds", {}, { d: { f: "1", e: {} } }, "/d", "/a", ["/a 755 /", "/a/e 755 /", '/a/f 644 "1"']],
    ["the whole source into the root", { x: "0" }, { f: "1" }, "/", "/", ['/f 644 "1"', '/x 644 "0"']],
    [
      "over a folder: what it had stays",
      { a: { x: "0", f: "0" } },
      { d: { f: "1" } },
      "/d",
      "/a",
      ["/a 755 /", '/a/f 644 "1"', '/a/x 644 "0"'],
    ],
    [
      "through a link of the destination, inside the root",
      { l: "-> ../../real", real: {} },
      { f: "1" },
      "/f",
      "/l/",
      ["/l 777 -> ../../real", "/real 755 /", '/real/f 644 "1"'],
    ],
    [
      "what a link given as the source ends at",
      {},
      { l: "-> d/f", d: { f: "1" } },
      "/l",
      "/a/",
      ["/a 755 /", '/a/l 644 "1"'],
    ],
    ["links inside a folder as they are", {}, { d: { l: "-> /etc/passwd" } }, "/d", "/", ["/l 777 -> /etc/passwd"]],
    ["to a destination with `..`, which stays inside", {}, { f: "1" }, "/f", "/../../a", ['/a 644 "1"']],
  ])("%s", (_, base, source, from, to, expected) => {
    expect(copied(base, source, from, to)).toEqual(expected);
  });

  it("gives owner and mode to all it makes, links keep theirs", () => {
    const options = { owner: { uid: 1, gid: 2 }, mode: 0o600 };
    expect(copied({}, { d: { f: "1", l: "-> f", e: {} } }, "/d", "/a", options)).toEqual([
      "/a 755 1:2 /",
      "/a/e 600 1:2 /",
      '/a/f 600 1:2 "1"',
      "/a/l 777 1:2 -> f",
    ]);
  });

  it("keeps hard links within one copy, and none across two", () => {
    const both = file("x");
    const source = { d: { a: both, b: both } };
    expect(copied({}, source, "/d", "/")).toEqual(['/a 644 "x"', "/b 644 = /a"]);
    const draft = new DraftTree(folder({}));
    copyPath(draft, folder(source), "/d/a", "/a", asIs);
    copyPath(draft, folder(source), "/d/b", "/b", asIs);
    expect(listing(draft.freeze())).toEqual(['/a 644 "x"', '/b 644 "x"']);
  });

  it("leaves out what is excluded, with all below it", () => {
    const excluded = (path: string): boolean => path === "d" || path === "e/f";
    expect(copied({}, { d: { f: "1" }, e: { f: "1", g: "2" } }, "/", "/", { excluded })).toEqual([
      "/e 755 /",
      '/e/g 644 "2"',
    ]);
  });

  it.each<readonly [string, TreeShape, TreeShape, string, string, string]>([
    ["a source that is not there", {}, {}, "/f", "/", "source-missing"],
    ["a source behind a file", {}, { f: "1" }, "/f/g", "/", "source-missing"],
    ["a folder over a file", { a: "0" }, { d: { f: "1" } }, "/d", "/a", "folder-over-file"],
    ["a folder over a file, deeper", { a: { d: "0" } }, { a: { d: {} } }, "/a", "/a", "folder-over-file"],
    ["a file over a folder, deeper", { a: { f: {} } }, { a: { f: "1" } }, "/a", "/a", "file-over-folder"],
    ["a destination below a file", { a: "0" }, { f: "1" }, "/f", "/a/b", "not-a-folder"],
    ["a destination below a broken link", { a: "-> b/c", b: "0" }, { f: "1" }, "/f", "/a/", "not-a-folder"],
    ["links in a ring as the source", {}, { a: "-> b", b: "-> a" }, "/a", "/", "too-many-links"],
    ["links in a ring as the destination", { a: "-> b", b: "-> a" }, { f: "1" }, "/f", "/a/x", "too-many-links"],
  ])("refuses %s", (_, base, source, from, to, code) => {
    expect(() => copied(base, source, from, to)).toThrow(expect.objectContaining({ kind: "rejected", code }));
  });
});

describe("WORKDIR", () => {
  it.each<readonly [string, TreeShape, string, readonly string[]]>([
    ["makes all that is missing", {}, "/a/b", ["/a 755 /", "/a/b 755 /"]],
    ["leaves what is there", { a: folder({}, { mode: 0o700 }) }, "/a", ["/a 700 /"]],
    ["follows links", { l: "-> /r", r: {} }, "/l/x", ["/l 777 -> /r", "/r 755 /", "/r/x 755 /"]],
    ["makes what a link names", { l: "-> /r" }, "/l/x", ["/l 777 -> /r", "/r 755 /", "/r/x 755 /"]],
  ])("%s", (_, base, path, expected) => {
    const draft = new DraftTree(folder(base));
    makeFolder(draft, path, undefined, 0o755);
    expect(listing(draft.freeze())).toEqual(expected);
  });

  it("refuses a file in its place", () => {
    const draft = new DraftTree(folder({ a: "1", l: link("a") }));
    for (const path of ["/a", "/l", "/a/b"])
      expect(() => makeFolder(draft, path, undefined, 0o755)).toThrow(
        expect.objectContaining({ code: "not-a-folder" }),
      );
  });
});
