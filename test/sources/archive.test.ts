/**
 * Rules SO-40 to SO-45: what ADD unpacks. The table's answers are those of BuildKit 0.13 (dockerd 26.1.5, buildx 0.13.1),
 * each file given to it by `FROM scratch` and `ADD FILE /out/`.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { nodeFileSystem, nodeProcesses } from "../../src/host/index.js";
import type { ArchiveOpener } from "../../src/graph/index.js";
import { indexTarFile } from "../../src/oci/index.js";
import { createArchiveOpener } from "../../src/sources/index.js";
import { temporaryFolder } from "./fixture.js";

type Answer = "unpacked" | "copied" | "damaged";

let folder: string;
let spools: string;
let opener: ArchiveOpener;

function filter(input: Uint8Array, program: string, ...args: string[]): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 1 << 28 });
}

const compressors: Readonly<Record<string, (input: Uint8Array) => Buffer>> = {
  gz: (input) => filter(input, "gzip", "-n"),
  xz: (input) => filter(input, "xz", "-0"),
  bz2: (input) => filter(input, "bzip2", "-1"),
  zst: (input) => filter(input, "zstd", "-q"),
};
const formats = Object.keys(compressors);

function compress(format: string, input: Uint8Array): Buffer {
  return compressors[format]?.(input) ?? Buffer.alloc(0);
}

let small: Buffer;
let large: Buffer;
let withoutEnd: Buffer;

beforeAll(() => {
  folder = temporaryFolder();
  spools = `${folder}/spools`;
  fs.mkdirSync(spools);
  fs.mkdirSync(`${folder}/d`);
  fs.writeFileSync(`${folder}/d/f`, "hello\n");
  small = execFileSync("tar", ["c", "-C", folder, "d"]);
  fs.writeFileSync(`${folder}/d/r`, randomBytes(300_000));
  large = execFileSync("tar", ["c", "--sort=name", "-C", folder, "d"], { maxBuffer: 1 << 28 });
  withoutEnd = large.subarray(0, 3 * 512 + 512 + Math.ceil(300_000 / 512) * 512);
  const effects = { fileSystem: nodeFileSystem, processes: nodeProcesses("/usr/bin:/bin") };
  opener = createArchiveOpener(effects, { temporaryFolder: () => spools });
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** What the opener makes of a file, and what it leaves behind. */
async function judge(data: Uint8Array): Promise<{ answer: Answer; names: string[] }> {
  const path = `${folder}/input`;
  fs.writeFileSync(path, data);
  try {
    const opened = await opener.open(path);
    if (opened === undefined) return { answer: "copied", names: [] };
    const names = indexTarFile(opened.tarPath, nodeFileSystem, "archive").entries.map((entry) => entry.path);
    opened.close();
    return { answer: "unpacked", names };
  } catch (error) {
    expect(error).toMatchObject({ kind: "malformed" });
    return { answer: "damaged", names: [] };
  } finally {
    expect(fs.readdirSync(spools)).toEqual([]);
    expect(fs.existsSync(path)).toBe(true);
  }
}

const garbage = Buffer.from("garbage\n");

function tarOf(format: string): Buffer {
  return execFileSync("tar", ["c", format, "-C", folder, "d"], { maxBuffer: 1 << 28 });
}

const table: readonly (readonly [string, () => Uint8Array, Answer])[] = [
  ["a tar", () => small, "unpacked"],
  ["a V7 tar", () => tarOf("--format=v7"), "unpacked"],
  ["a PAX tar", () => tarOf("--format=pax"), "unpacked"],
  ["a tar with garbage after it", () => Buffer.concat([small, garbage]), "unpacked"],
  ["a tar without an end", () => withoutEnd, "unpacked"],
  ["a tar with half an end", () => Buffer.concat([withoutEnd, Buffer.alloc(512)]), "unpacked"],
  ["a tar that breaks off", () => small.subarray(0, 700), "damaged"],
  ["an empty tar", () => execFileSync("tar", ["c", "-T", "/dev/null"]), "copied"],
  ["an empty tar, compressed", () => compress("gz", Buffer.alloc(10240)), "copied"],
  ["512 zeros", () => Buffer.alloc(512), "copied"],
  ["an empty file", () => Buffer.alloc(0), "copied"],
  ["a text", () => Buffer.from("text\n"), "copied"],
  ["noise", () => randomBytes(5000), "copied"],
  ["a tar in lzma", () => filter(small, "xz", "--format=lzma"), "copied"],
  ["a tar in gzip in gzip", () => compress("gz", compress("gz", small)), "copied"],
  ["a gzip header", () => compress("gz", small).subarray(0, 12), "copied"],
  ["three bytes of gzip", () => compress("gz", small).subarray(0, 3), "copied"],
  ["a zip", () => execFileSync("zip", ["-q", "-", "f"], { cwd: `${folder}/d` }), "copied"],
  [
    "a zstd stream after a skippable frame",
    () => Buffer.concat([Buffer.from("502a4d180400000061626364", "hex"), compress("zst", small)]),
    "unpacked",
  ],
  ["zstd with a window of 2 GiB", () => filter(large, "zstd", "-q", "--long=31"), "unpacked"],
  ["gzip without its trailer", () => compress("gz", large).subarray(0, -8), "unpacked"],
  ["gzip without an end of the tar, nor a trailer", () => compress("gz", withoutEnd).subarray(0, -8), "damaged"],
  [
    "gzip without an end of the tar, then garbage",
    () => Buffer.concat([compress("gz", withoutEnd), garbage]),
    "damaged",
  ],
  ["gzip without an end of the tar", () => compress("gz", withoutEnd), "unpacked"],
  ["xz without its last bytes", () => compress("xz", large).subarray(0, -4), "unpacked"],
  ["bzip2 without its last bytes", () => compress("bz2", large).subarray(0, -4), "unpacked"],
  ["xz that breaks off after the tar's end", () => compress("xz", small).subarray(0, -20), "unpacked"],
  ["lzip's magic", () => Buffer.concat([Buffer.from("LZIP\x01"), randomBytes(100)]), "copied"],
];

describe("an ADDed file", () => {
  it.each(table)("%s", async (_, make, answer) => {
    const found = await judge(make());
    expect(found.answer).toBe(answer);
    if (answer === "unpacked") expect(found.names).toEqual(expect.arrayContaining(["d", "d/f"]));
  });

  it.each(formats)(
    "in %s: whole, in several streams, with garbage after it, cut in the middle, a text",
    async (format) => {
      const several = Buffer.concat([
        compress(format, large.subarray(0, 5000)),
        compress(format, large.subarray(5000)),
      ]);
      expect(await judge(compress(format, large))).toEqual({ answer: "unpacked", names: ["d", "d/f", "d/r"] });
      expect(await judge(several)).toEqual({ answer: "unpacked", names: ["d", "d/f", "d/r"] });
      expect((await judge(Buffer.concat([compress(format, large), garbage]))).answer).toBe("unpacked");
      const whole = compress(format, large);
      expect((await judge(whole.subarray(0, whole.length / 2))).answer).toBe("damaged");
      expect((await judge(compress(format, Buffer.from("text\n")))).answer).toBe("copied");
    },
  );

  it.each(formats)("in %s gives the very bytes that were compressed", async (format) => {
    fs.writeFileSync(`${folder}/input`, compress(format, large));
    const opened = await opener.open(`${folder}/input`);
    expect(opened?.size).toBe(large.length);
    expect(fs.readFileSync(opened?.tarPath ?? "").equals(large)).toBe(true);
    opened?.close();
  });

  it("may have any name", async () => {
    const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x20])]);
    fs.writeFileSync(name, compress("gz", small));
    const opened = await opener.open(name.toString("latin1"));
    expect(opened?.size).toBe(small.length);
    opened?.close();
  });

  it("is not opened after an interrupt", async () => {
    fs.writeFileSync(`${folder}/input`, compress("xz", large));
    await expect(opener.open(`${folder}/input`, AbortSignal.abort())).rejects.toMatchObject({ code: "interrupted" });
    const controller = new AbortController();
    const running = opener.open(`${folder}/input`, controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(fs.readdirSync(spools)).toEqual([]);
  });

  it("asks for the program that is missing", async () => {
    fs.writeFileSync(`${folder}/input`, compress("zst", small));
    const bare = createArchiveOpener(
      { fileSystem: nodeFileSystem, processes: nodeProcesses("/nowhere") },
      { temporaryFolder: () => spools },
    );
    await expect(bare.open(`${folder}/input`)).rejects.toMatchObject({ code: "program-missing", subject: "zstd" });
  });
});
