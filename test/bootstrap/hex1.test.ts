import { readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleHex0, assembleHex1, Hex1Fault } from "./reference-assembler.js";
import { canRunRungs, sourceOf, specification, Workshop, type Outcome } from "./rungs.js";

const workshop = new Workshop();
const hex1 = workshop.path("hex1");
afterAll(() => {
  workshop.close();
});

function assemble(text: Buffer | string): Outcome {
  return workshop.assemble(hex1, text);
}

/** What the twin expects of hex1. */
function expected(text: Buffer): Outcome {
  try {
    return { status: 0, told: "", output: assembleHex1(text) };
  } catch (error) {
    if (!(error instanceof Hex1Fault)) throw error;
    return { status: error.status, told: error.rest, output: undefined };
  }
}

/** The example of the specification: a program that ends with status 42, its headers by labels. */
const example = /^```\n(=3c :exit[^`]*)^```$/m.exec(specification())?.[1] ?? "";

describe.skipIf(!canRunRungs())("hex1", () => {
  beforeAll(() => {
    workshop.build("hex1");
  });

  it("is what the twin of hex0 makes of its source (BS-2)", () => {
    expect(readFileSync(hex1)).toEqual(assembleHex0(sourceOf("hex1")));
  });

  it.each(["hex0", "same", "hex1"])("takes %s.hex0 and makes what the seed makes (BS-20)", (rung) => {
    expect(assemble(sourceOf(rung)).output).toEqual(readFileSync(workshop.build(rung)));
  });

  it("assembles a program with its headers, which runs (BS-21 to BS-26)", () => {
    const { status, output } = assemble(example);
    expect([status, output]).toEqual([0, assembleHex1(Buffer.from(example))]);
    expect(statSync(workshop.path("output")).mode & 0o777).toBe(0o755 & ~process.umask());
    expect(workshop.run(workshop.path("output")).status).toBe(42);
  });

  it.each([
    ["nothing", "", ""],
    ["bytes", "4f aF\tFf00", "4fafff00"],
    ["comments", "01 # 02\n03 ; :x\n; 05", "0103"],
    ["a text, with the marks of comments in it", '"#;: é"00', "233b3a20c3a900"],
    ["an empty text", '""41', "41"],
    ["addresses that begin at 0", "00 :a $a", "0001"],
    ["an address", "=400000 00 :a &a", "0001004000"],
    ["a number for its own sake, in either case", "=3c :exit =aB :ab 6a $exit $ab", "6a3cab"],
    ["an address without digits: 0", "00 = :a $a", "0000"],
    ["more than 16 digits: the last 16", "=123456789abcdef01 :a @a", "01efcdab89674523"],
    ["a reference before the label", "!a 90 :a", "0190"],
    ["a reference after the label", ":a 90 !a", "90fe"],
    ["the far ends of one byte", "=80 :a =17f :b =ff !a =ff !b", "807f"],
    ["four bytes, relative", ":a %a", "fcffffff"],
    ["the size of a table", ':t "abcdef" :e $e-t &e-t @e-t', "616263646566" + "06" + "06000000" + "0600000000000000"],
    ["a distance to another label", ":a 00 00 :b !b-a !a-b %b-a", "000002fe02000000"],
    ["a name that ends another item", ":a=1 !a=1$a=1", "ff00"],
    ["long names", `:${"n".repeat(255)} :${"n".repeat(254)}o $${"n".repeat(255)} $${"n".repeat(254)}o`, "0000"],
    ["names that begin alike", "=1 :a =2 :ab =3 :abc $ab $abc $a", "020301"],
    ["values of one byte with a sign and without", "=ff :a =ffffffffffffff80 :b $a $b", "ff80"],
    ["values of four bytes with a sign and without", "=ffffffff :a =ffffffff80000000 :b &a &b", "ffffffff00000080"],
    ["values of eight bytes", "=fedcba9876543210 :a @a", "1032547698badcfe"],
  ])("takes %s", (_, text, hex) => {
    expect(assemble(text)).toEqual({ status: 0, told: "", output: Buffer.from(hex, "hex") });
    expect(assembleHex1(Buffer.from(text)).toString("hex")).toBe(hex);
  });

  it.each([
    ["a lone digit", "00\n 4 8", 1, "4 8\n"],
    ["a digit at the end", "00 4", 1, "4\n"],
    ["a digit before another letter", "4g", 1, "4g\n"],
    ["an unknown character", "00 zz # why\n00", 2, "zz # why\n"],
    ["a minus sign on its own", "-a", 2, "-a\n"],
    ["a character above ASCII", "é", 2, "Ã©\n"],
    ["a text without its end", '00 "abc\n"', 3, '"abc\n'],
    ["a text without its end at the end", '"', 3, '"\n'],
    ["a label without a name", ": a", 4, ": a\n"],
    ["a reference without a name", "&", 4, "&\n"],
    ["a difference without the first name", "&-a", 4, "&-a\n"],
    ["a difference without the second name", ":a &a- 00", 4, "&a- 00\n"],
    ["a label defined twice", ":ab 00 :ab # again", 5, ":ab # again\n"],
    ["an unknown label", ":ab $a", 6, "$a\n"],
    ["an unknown label to take away", ":ab $ab-b", 6, "$ab-b\n"],
    ["a jump one byte too far back", "=7e :a =fe !a", 7, "!a\n"],
    ["a jump one byte too far on", "=17f :b =fe !b", 7, "!b\n"],
    ["a distance that would fit without a sign", "=80 :a =0 :z !a-z", 7, "!a-z\n"],
    ["four bytes, relative, too far", "=80000000 :a =0 :z %a-z", 7, "%a-z\n"],
    ["a value over one byte", "=100 :a $a", 7, "$a\n"],
    ["a value under one byte", "=ffffffffffffff7f :a $a", 7, "$a\n"],
    ["a value over four bytes", "=100000000 :a &a", 7, "&a\n"],
    ["a value under four bytes", "=ffffffff7fffffff :a &a", 7, "&a\n"],
  ])("refuses %s and writes nothing (BS-28)", (_, text, status, told) => {
    expect(assemble(text)).toEqual({ status, told, output: undefined });
    expect(expected(Buffer.from(text))).toEqual({ status, told, output: undefined });
  });

  it("leaves an older OUTPUT as it was where there is an error (BS-28)", () => {
    writeFileSync(workshop.path("bad"), "4");
    writeFileSync(workshop.path("older"), "older");
    expect(workshop.run(hex1, workshop.path("bad"), workshop.path("older")).status).toBe(1);
    expect(readFileSync(workshop.path("older"), "latin1")).toBe("older");
  });

  it("says 8 for wrong use and for files in trouble (BS-28)", () => {
    const [input, absent] = [workshop.path("good"), workshop.path("absent")];
    writeFileSync(input, "48");
    const { folder } = workshop;
    const uses = [
      [],
      [input],
      [input, folder, input],
      [absent, absent],
      [folder, absent],
      [input, folder],
      [input, "/dev/full"],
    ];
    for (const args of uses) expect([args, workshop.run(hex1, ...args)]).toEqual([args, { status: 8, told: "" }]);
  });

  it("takes a text of 1 MiB less one byte, and no more; the worst text leaves room in its memory (BS-29)", () => {
    const limit = 2 ** 20;
    const widest = Buffer.from((":a " + "@a ".repeat(limit / 3)).padEnd(limit, " ").slice(0, limit - 1));
    const { status, output } = assemble(widest);
    expect([status, output?.length]).toEqual([0, Math.floor((limit - 1 - 3) / 3) * 8]);
    expect(assemble(Buffer.concat([widest, Buffer.from(" ")]))).toEqual({ status: 8, told: "", output: undefined });
  });

  it("agrees with its twin on programs (BS-20 to BS-28)", () => {
    const name = fc.constantFrom("a", "b", "loop", "loop2", "a.b/c_d", "=", "?@:;");
    const reference = fc
      .tuple(fc.constantFrom("!", "%", "$", "&", "@"), name, fc.option(name, { nil: undefined, freq: 3 }))
      .map(([sigil, target, base]) => sigil + target + (base === undefined ? "" : `-${base}`));
    const filler = fc.integer({ min: 0, max: 140 }).map((length) => `"${".".repeat(length)}"`);
    const origin = fc.constantFrom("0", "400000", "7fffffff", "ffffffffffffff80", "1F").map((hex) => `=${hex}`);
    const program = fc
      .tuple(
        fc.shuffledSubarray(["a", "b", "loop", "loop2", "a.b/c_d", "=", "?@:;"], { minLength: 5 }),
        fc.array(fc.oneof(reference, filler, origin, fc.constantFrom("4f", "# note\n", "DE")), { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
      )
      .map(([defined, items, places]) => {
        for (const label of defined) items.splice((places.next().value ?? 0) % (items.length + 1), 0, `:${label}`);
        return Buffer.from(items.join(" "));
      });
    let whole = 0;
    fc.assert(
      fc.property(program, (text) => {
        const answer = expected(text);
        whole += answer.status === 0 ? 1 : 0;
        expect(assemble(text)).toEqual(answer);
      }),
      { numRuns: 150 },
    );
    expect(whole).toBeGreaterThan(20);
  });

  it("agrees with its twin on any text (BS-20 to BS-28)", () => {
    const piece = fc.constantFrom(
      "4f",
      "A",
      "0",
      "#",
      ";",
      "\n",
      " ",
      "g",
      ":",
      ":a",
      "!a",
      "$",
      "@a",
      "-",
      "-a",
      '"',
      "=",
      "=7",
      "\0",
      "\xff",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = Buffer.from(pieces.join(""), "latin1");
        expect(assemble(text)).toEqual(expected(text));
      }),
      { numRuns: 150 },
    );
  });
});
