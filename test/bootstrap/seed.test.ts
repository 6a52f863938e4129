import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleHex0 } from "./reference-assembler.js";
import { canRunRungs, sourceOf, stage0, Workshop } from "./rungs.js";

const workshop = new Workshop();
afterAll(() => {
  workshop.close();
});

const seed = readFileSync(join(stage0, "seed"));

describe("the seed's bytes", () => {
  it("are at most 229, headers included (BS-1)", () => {
    expect(seed.length).toBeLessThanOrEqual(229);
    expect(statSync(workshop.seed).mode & 0o111).toBe(0o111);
  });

  it("are what a reader that shares nothing with the seed finds in its source (BS-2)", () => {
    expect(assembleHex0(sourceOf("hex0"))).toEqual(seed);
  });

  it("hide no code in the headers: each field holds what its name says (BS-3)", () => {
    expect(seed.subarray(0, 16).toString("hex")).toBe("7f454c46020101" + "00".repeat(9));
    expect([seed.readUInt16LE(16), seed.readUInt16LE(18), seed.readUInt32LE(20)]).toEqual([2, 62, 1]);
    const [entry, headers, sections] = [24, 32, 40].map((at) => Number(seed.readBigUInt64LE(at)));
    expect([entry, headers, sections]).toEqual([0x400078, 64, 0]);
    expect(seed.readUInt32LE(48)).toBe(0);
    expect([52, 54, 56, 58, 60, 62].map((at) => seed.readUInt16LE(at))).toEqual([64, 56, 1, 0, 0, 0]);
    expect([seed.readUInt32LE(64), seed.readUInt32LE(68)]).toEqual([1, 5]);
    const segment = [72, 80, 88, 96, 104, 112].map((at) => Number(seed.readBigUInt64LE(at)));
    expect(segment).toEqual([0, 0x400000, 0x400000, seed.length, seed.length, 0x1000]);
  });
});

describe.skipIf(!canRunRungs())("the seed at work", () => {
  it("makes itself of its source (BS-2)", () => {
    expect(workshop.assemble(workshop.seed, sourceOf("hex0"))).toEqual({ status: 0, told: "", output: seed });
  });

  it("makes a program: OUTPUT has mode 0755 less the umask (BS-14)", () => {
    workshop.assemble(workshop.seed, "00");
    expect(statSync(workshop.path("output")).mode & 0o777).toBe(0o755 & ~process.umask());
  });

  it("truncates an older OUTPUT (BS-14)", () => {
    const output = workshop.path("older");
    writeFileSync(output, "something longer");
    writeFileSync(workshop.path("input"), "41");
    expect(workshop.run(workshop.seed, workshop.path("input"), output).status).toBe(0);
    expect(readFileSync(output, "latin1")).toBe("A");
  });

  it.each([
    ["nothing", "", ""],
    ["both cases", "aBAbfF", "ababff"],
    ["digits far apart", "4 \n\t 8", "48"],
    ["a comment within a byte", "4# 99 ; 99\n8", "48"],
    ["a comment to the end of the text", "48 ; 99", "48"],
    ["a comment that begins again within itself", "; # ;\n48", "48"],
    ["carriage returns", "48\r\n# 99\r\n49\r\n", "4849"],
    ["prefixes are not understood: the zero counts", "0x48 0", "0480"],
  ])("takes %s (BS-10 to BS-13)", (_, text, hex) => {
    expect(workshop.assemble(workshop.seed, text)).toEqual({ status: 0, told: "", output: Buffer.from(hex, "hex") });
  });

  it("knows 22 digits and two comment marks among the 256 characters, and ignores the rest (BS-11)", () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
    const digits = all.filter((character) => /[0-9A-Fa-f]/.test(character)).join("");
    const ignored = all.filter((character) => !/[0-9A-Fa-f#;]/.test(character)).join("");
    const text = Buffer.from(`${digits}\n4${ignored}8\n`, "latin1");
    const output = Buffer.from("0123456789" + "abcdef" + "abcdef" + "48", "hex");
    expect([digits.length, ignored.length]).toEqual([22, 232]);
    expect(workshop.assemble(workshop.seed, text)).toEqual({ status: 0, told: "", output });
  });

  it("agrees with its twin on any text (BS-10 to BS-13)", () => {
    const piece = fc.constantFrom(
      "4f",
      "A",
      "0",
      "#",
      ";",
      "\n",
      " ",
      "g",
      "x",
      ":",
      "\r",
      "\0",
      "\u00ff",
      "@",
      "`",
      "G",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = Buffer.from(pieces.join(""), "latin1");
        const expected = assembleHex0(text);
        const found = workshop.assemble(workshop.seed, text);
        if (expected === undefined) expect(found.status).not.toBe(0);
        else expect(found).toEqual({ status: 0, told: "", output: expected });
      }),
      { numRuns: 100 },
    );
  });
});

describe.skipIf(!canRunRungs())("the seed in trouble (BS-15)", () => {
  const input = workshop.path("some-input");
  const directory = workshop.path("directory");
  mkdirSync(directory);
  writeFileSync(input, "48");
  writeFileSync(workshop.path("half"), "4");

  it.each([
    ["no arguments", [], 218],
    ["no OUTPUT", [input], 256 - 14],
    ["INPUT is not there", [workshop.path("absent"), workshop.path("never-made")], 218],
    ["INPUT is a folder", [directory, workshop.path("empty")], 256 - 21],
    ["OUTPUT is in no folder", [input, workshop.path("absent/output")], 256 - 2],
    ["OUTPUT is a folder", [input, directory], 256 - 21],
    ["OUTPUT is full", [input, "/dev/full"], 256 - 28],
    ["an odd number of digits", [workshop.path("half"), workshop.path("odd")], 15 + 4],
  ])("%s", (_, args, status) => {
    expect(workshop.run(workshop.seed, ...args).status).toBe(status);
  });

  it("does not touch OUTPUT where INPUT cannot be opened", () => {
    const { status } = workshop.run(workshop.seed, workshop.path("absent"), input);
    expect([status, readFileSync(input, "latin1")]).toEqual([218, "48"]);
  });
});

describe.skipIf(!canRunRungs())("same (BS-16)", () => {
  const same = workshop.path("same");
  beforeAll(() => {
    workshop.build("same");
  });
  const [a, b] = [workshop.path("a"), workshop.path("b")];

  it.each([
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "ab", 1],
    ["ab", "abc", 1],
    ["\0", "", 1],
    ["", "\0", 1],
    ["\xff\0", "\xff\x01", 1],
  ])("%j and %j: status %i", (left, right, status) => {
    writeFileSync(a, left, "latin1");
    writeFileSync(b, right, "latin1");
    expect(workshop.run(same, a, b).status).toBe(status);
  });

  it("says no where a file cannot be read", () => {
    const absent = workshop.path("absent");
    for (const args of [[], [a], [a, absent], [absent, a], [absent, absent], [workshop.folder, workshop.folder]]) {
      expect(workshop.run(same, ...args).status).toBe(1);
    }
  });
});
