import { describe, expect, it } from "vitest";

import type { StagewrightError } from "../../src/base/index.js";
import { createTarIndexer } from "../../src/oci/index.js";

interface Member {
  readonly name: string;
  readonly flag?: string;
  readonly link?: string;
  readonly data?: string;
  /** Bytes put over the header before its checksum is made, by offset. */
  readonly patch?: Readonly<Record<number, string>>;
}

/** A tar written by hand: no writer would make these. */
function tarOf(members: readonly Member[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(blocksOf), end]);
}

function blocksOf({ name, flag = "0", link = "", data = "", patch = {} }: Member): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "latin1");
  header.write("0000644\x000000000\x000000000\0", 100, "latin1");
  header.write(`${data.length.toString(8).padStart(11, "0")}\x0000000000001\0`, 124, "latin1");
  header.write(flag, 156, "latin1");
  header.write(link, 157, 100, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  for (const [at, bytes] of Object.entries(patch)) header.write(bytes, Number(at), "latin1");
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const content = Buffer.alloc(Math.ceil(data.length / 512) * 512);
  content.write(data, 0, "latin1");
  return [header, content];
}

function read(mode: "layer" | "archive", tar: Uint8Array): readonly { readonly path: string; readonly type: string }[] {
  const source = { contentPath: "x", subject: "evil.tar" };
  const indexer = mode === "layer" ? createTarIndexer("layer", source) : createTarIndexer("archive", source);
  indexer.push(tar);
  return indexer.finish().entries;
}

function failure(mode: "layer" | "archive", tar: Uint8Array): string {
  try {
    read(mode, tar);
  } catch (error) {
    const { kind, code, subject } = error as StagewrightError;
    expect(subject).toBe("evil.tar");
    return `${kind} ${code}`;
  }
  return "taken";
}

function pax(records: Readonly<Record<string, string>>): Member {
  const data = Object.entries(records)
    .map(([key, value]) => {
      const rest = key.length + value.length + 3;
      const length = rest + String(rest + String(rest).length).length;
      return `${length} ${key}=${value}\n`;
    })
    .join("");
  return { name: "x", flag: "x", data };
}

const file: Member = { name: "f", data: "data" };
const T = "rejected tar-";

describe("hostile tars", () => {
  it.each<[string, readonly Member[], string, string]>([
    ["an absolute path", [{ name: "/etc/passwd" }], `${T}path-absolute`, "taken"],
    [".. at the front", [{ name: "../f" }], `${T}path-escapes`, `${T}path-escapes`],
    [".. that leaves the root later", [{ name: "a/../../f" }], `${T}path-escapes`, `${T}path-escapes`],
    [".. that stays inside", [{ name: "a/../f" }], `${T}path-escapes`, "taken"],
    ["..  in a PAX path", [pax({ path: "../../f" }), file], `${T}path-escapes`, `${T}path-escapes`],
    [".. in a GNU long name", [{ name: "L", flag: "L", data: "../f\0" }, file], `${T}path-escapes`, `${T}path-escapes`],
    ["an empty name", [{ name: "" }], `${T}path-odd`, "taken"],
    ["two slashes", [{ name: "a//f" }], `${T}path-odd`, "taken"],
    ["a file with a slash at its end", [{ name: "a/" }], `${T}path-odd`, "taken"],
    ["a component of 256 bytes", [pax({ path: "n".repeat(256) }), file], `${T}path-too-long`, `${T}path-too-long`],
    [
      "a path of 4097 bytes",
      [pax({ path: "ab/".repeat(1365) + "ab" }), file],
      `${T}path-too-long`,
      `${T}path-too-long`,
    ],
    ["a NUL in a PAX path", [pax({ path: "a\0b" }), file], `${T}path-odd`, `${T}path-odd`],
    ["one path twice", [file, file], `${T}duplicate`, "taken"],
    ["one path twice, once with ./", [file, { name: "./f" }], `${T}duplicate`, "taken"],
    ["a path through a file", [file, { name: "f/g" }], `${T}path-through-file`, `${T}path-through-file`],
    [
      "a path through a symbolic link out of the root",
      [{ name: "l", flag: "2", link: "/etc" }, { name: "l/passwd" }],
      `${T}path-through-file`,
      `${T}link-dangling`,
    ],
    [
      "a file in what becomes a symbolic link",
      [{ name: "l/passwd" }, { name: "l", flag: "2", link: "/etc" }],
      `${T}path-through-file`,
      "taken",
    ],
    [
      "a loop of symbolic links",
      [{ name: "a", flag: "2", link: "b" }, { name: "b", flag: "2", link: "a" }, { name: "a/f" }],
      `${T}path-through-file`,
      `${T}link-loop`,
    ],
    ["a hard link to nothing", [{ name: "h", flag: "1", link: "f" }], `${T}link-target`, `${T}link-target`],
    ["a hard link out of the root", [{ name: "h", flag: "1", link: "../f" }], `${T}path-escapes`, `${T}path-escapes`],
    [
      "a hard link to the host",
      [{ name: "h", flag: "1", link: "/etc/passwd" }],
      `${T}path-absolute`,
      `${T}link-target`,
    ],
    ["a hard link to itself", [file, { name: "f", flag: "1", link: "f" }], `${T}duplicate`, `${T}link-target`],
    [
      "a hard link to a folder",
      [
        { name: "d", flag: "5" },
        { name: "h", flag: "1", link: "d" },
      ],
      `${T}link-target`,
      `${T}link-target`,
    ],
    [
      "a hard link to a whiteout",
      [{ name: ".wh.f" }, { name: "h", flag: "1", link: ".wh.f" }],
      `${T}link-target`,
      "taken",
    ],
    ["a symbolic link to nothing", [{ name: "l", flag: "2" }], `${T}link-odd`, `${T}link-odd`],
    ["a whiteout of ..", [{ name: ".wh..." }], `${T}bad-whiteout`, "taken"],
    ["a whiteout without a name", [{ name: "d/.wh." }], `${T}bad-whiteout`, "taken"],
    ["a whiteout that is a folder", [{ name: ".wh.f", flag: "5" }], `${T}bad-whiteout`, "taken"],
    ["marks of aufs", [{ name: ".wh..wh.plnk" }], `${T}bad-whiteout`, "taken"],
    ["a GNU sparse file", [{ name: "s", flag: "S" }], `${T}sparse`, `${T}sparse`],
    ["a PAX sparse file", [pax({ "GNU.sparse.major": "1" }), file], `${T}sparse`, `${T}sparse`],
    ["an unknown type", [{ name: "v", flag: "V" }], `${T}type`, `${T}type`],
    ["an owner that Linux reads as nobody's", [pax({ uid: "4294967295" }), file], `${T}number`, `${T}number`],
    ["a PAX size that is none", [pax({ size: "-1" }), file], "malformed bad-tar", "malformed bad-tar"],
    ["a PAX size beyond 2^53", [pax({ size: "9999999999999999" }), file], "malformed bad-tar", "malformed bad-tar"],
    [
      "a negative size in base-256",
      [{ name: "n", patch: { 124: "\xff".repeat(12) } }],
      "malformed bad-tar",
      "malformed bad-tar",
    ],
    [
      "a size that is no number",
      [{ name: "n", patch: { 124: "00000000zzz\0" } }],
      "malformed bad-tar",
      "malformed bad-tar",
    ],
    [
      "an extension header of 1 GiB",
      [{ name: "x", flag: "x", patch: { 124: "10000000000\0" } }],
      "malformed bad-tar",
      "malformed bad-tar",
    ],
    [
      "a file larger than what follows",
      [{ name: "n", patch: { 124: "00000010000\0" } }],
      "malformed bad-tar",
      "malformed bad-tar",
    ],
    ["an extension header before nothing", [pax({ path: "f" })], "taken", "taken"],
  ])("%s", (_name, members, inLayer, inArchive) => {
    expect([failure("layer", tarOf(members)), failure("archive", tarOf(members))]).toEqual([inLayer, inArchive]);
  });

  it("keep links out of the root inside the archive's tree, as a chroot would", () => {
    const members = [
      { name: "etc", flag: "5" },
      { name: "l", flag: "2", link: "../../../etc" },
      { name: "l/passwd", data: "x" },
    ];
    expect(read("archive", tarOf(members)).map(({ path }) => path)).toEqual(["etc", "etc/passwd", "l"]);
  });

  it("leave no file behind when a folder takes its place, nor what was in a folder that a file replaces", () => {
    const members = [{ name: "d", flag: "5" }, { name: "d/secret" }, { name: "d", data: "now a file" }];
    expect(read("archive", tarOf(members)).map(({ path, type }) => [path, type])).toEqual([["d", "file"]]);
  });

  it("may not hide bytes after the end, for a layer", () => {
    const tar = tarOf([file], Buffer.concat([Buffer.alloc(1024), Buffer.from("hidden")]));
    expect([failure("layer", tar), failure("archive", tar)]).toEqual(["malformed bad-tar", "taken"]);
  });

  it("may not end without their mark, for a layer; may, for an archive, between two members", () => {
    const tar = tarOf([file], Buffer.alloc(0));
    expect([failure("layer", tar), failure("archive", tar)]).toEqual(["malformed bad-tar", "taken"]);
    expect(failure("archive", tar.subarray(0, 600))).toBe("malformed bad-tar");
  });

  it("may not go on after one zero block", () => {
    const tar = Buffer.concat([Buffer.alloc(512), tarOf([file])]);
    expect([failure("layer", tar), failure("archive", tar)]).toEqual(["malformed bad-tar", "malformed bad-tar"]);
  });

  it("are refused when a checksum is wrong", () => {
    const tar = tarOf([file]);
    tar[0] = 0x67;
    expect(failure("layer", tar)).toBe("malformed bad-tar");
  });

  it("do not have global headers applied to their members", () => {
    const global = { ...pax({ path: "../../evil", uid: "0" }), flag: "g" };
    expect(read("archive", tarOf([global, file])).map(({ path }) => path)).toEqual(["f"]);
  });

  it("cannot reach the prototype of an object by a name", () => {
    const members = [
      { name: "__proto__", flag: "5" },
      { name: "__proto__/constructor" },
      pax({ __proto__x: "1" }),
      file,
    ];
    expect(read("layer", tarOf(members)).map(({ path }) => path)).toEqual(["__proto__", "__proto__/constructor", "f"]);
  });

  it("are refused when cut at any byte", () => {
    const tar = tarOf([pax({ path: "long" }), file, { name: "g", data: "x".repeat(600) }], Buffer.alloc(512));
    for (let at = 1; at < tar.length; at += 37) expect(failure("layer", tar.subarray(0, at))).toBe("malformed bad-tar");
  });
});
