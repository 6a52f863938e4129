import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { file, folder, listing, plain, type TreeShape } from "../../../../test/support/engine-tree.js";
import type { NodeEntry } from "../../../oci/index.js";
import { unpackInto } from "./unpack.js";

const leaf = (path: string, text: string): NodeEntry => ({ ...(file(text) as NodeEntry), path });
const entry = (path: string, more: object): NodeEntry => ({ ...plain, path, ...more }) as NodeEntry;
const directory = (path: string, more: object = {}): NodeEntry =>
  entry(path, { type: "directory", mode: 0o755, ...more });
const symlink = (path: string, target: string): NodeEntry => entry(path, { type: "symlink", target, mode: 0o777 });

function unpacked(base: TreeShape, members: readonly NodeEntry[], to = "/"): string[] {
  return listing(unpackInto(folder(base), to, members, undefined));
}

describe("ADD of an archive", () => {
  it.each<readonly [string, TreeShape, readonly NodeEntry[], string, readonly string[]]>([
    ["makes folders that no member names", {}, [leaf("a/b", "1")], "/", ["/a 755 /", '/a/b 644 "1"']],
    ["lets later members win", {}, [leaf("f", "1"), leaf("f", "2")], "/", ['/f 644 "2"']],
    [
      "keeps what a folder holds, and takes the member's attributes",
      { a: { x: "0" } },
      [directory("a", { mode: 0o700 })],
      "/",
      ["/a 700 /", '/a/x 644 "0"'],
    ],
    [
      "goes below its destination, through links",
      { l: "-> r", r: {} },
      [leaf("f", "1")],
      "/l/new",
      ["/l 777 -> r", "/r 755 /", "/r/new 755 /", '/r/new/f 644 "1"'],
    ],
    [
      "links to where a member went",
      {},
      [symlink("l", "d"), directory("d"), leaf("l/f", "1"), entry("h", { type: "hardlink", target: "l/f" })],
      "/",
      ["/d 755 /", '/d/f 644 "1"', "/h 644 = /d/f", "/l 777 -> d"],
    ],
    [
      "takes devices and pipes",
      {},
      [entry("c", { type: "character", major: 1, minor: 3 }), entry("p", { type: "fifo" })],
      "/",
      ["/c 644 character 1,3", "/p 644 fifo"],
    ],
  ])("%s", (_, base, members, to, expected) => {
    expect(unpacked(base, members, to)).toEqual(expected);
  });

  it.each<readonly [string, readonly NodeEntry[]]>([
    ["by a link upwards", [symlink("l", "../../.."), leaf("l/f", "1")]],
    ["by a link to the root", [symlink("l", "/"), leaf("l/f", "1")]],
    ["by a chain of links", [symlink("a", ".."), symlink("b", "a/.."), leaf("b/f", "1")]],
  ])("never leaves its destination %s", (_, members) => {
    const found = unpacked({ etc: { passwd: "root" } }, members, "/in/here");
    expect(found.filter((text) => !text.startsWith("/in"))).toEqual(["/etc 755 /", '/etc/passwd 644 "root"']);
    expect(found.join("\n")).toContain("/in/here/f");
  });

  it.each<readonly [string, readonly NodeEntry[], string]>([
    ["a hard link to nothing", [entry("h", { type: "hardlink", target: "no" })], "bad-hardlink"],
    ["a hard link to a folder", [directory("d"), entry("h", { type: "hardlink", target: "d" })], "bad-hardlink"],
    ["a member below a file", [leaf("f", "1"), leaf("f/g", "2")], "not-a-folder"],
    ["links in a ring", [symlink("a", "b"), symlink("b", "a"), leaf("a/f", "1")], "too-many-links"],
  ])("refuses %s", (_, members, code) => {
    expect(() => unpacked({}, members)).toThrow(expect.objectContaining({ kind: "rejected", code }));
  });

  it("sets times before 1970 to 1970, but for links", () => {
    const early = { mtimeSeconds: -5, mtimeNanoseconds: 7 };
    const tree = unpackInto(
      folder({}),
      "/",
      [
        { ...leaf("f", ""), ...early },
        { ...symlink("l", "f"), ...early },
      ],
      undefined,
    );
    expect([...tree.children.values()].map((node) => [node.mtimeSeconds, node.mtimeNanoseconds])).toEqual([
      [0, 0],
      [-5, 7],
    ]);
  });

  it("takes time in proportion, also below a link", () => {
    const members = [
      directory("d"),
      symlink("l", "d"),
      ...Array.from({ length: 20_000 }, (_, at) => leaf(`l/${String(at)}`, "")),
    ];
    const begun = performance.now();
    unpacked({}, members);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it("holds any members inside its destination, or refuses them", () => {
    const part = fc.constantFrom("a", "b", "l");
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const target = fc
      .array(fc.constantFrom("a", "b", "l", "..", "/"), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"));
    const member = fc.oneof(
      path.map((at) => leaf(at, "x")),
      path.map((at) => directory(at)),
      fc.tuple(path, target).map(([at, to]) => symlink(at, to)),
      fc.tuple(path, path).map(([at, to]) => entry(at, { type: "hardlink", target: to })),
    );
    fc.assert(
      fc.property(fc.array(member, { maxLength: 8 }), (members) => {
        try {
          const found = unpacked({ keep: "1" }, members, "/in");
          expect(found.filter((text) => !text.startsWith("/in"))).toEqual(['/keep 644 "1"']);
        } catch (thrown) {
          expect(thrown).toMatchObject({ kind: "rejected" });
        }
      }),
    );
  });
});
