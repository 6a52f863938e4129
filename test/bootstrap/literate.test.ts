import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { assembleHex0 } from "./reference-assembler.js";
import { canRunRungs, sourceOf, Workshop } from "./rungs.js";

const workshop = new Workshop();
afterAll(() => {
  workshop.close();
});

interface Line {
  readonly hex: string;
  readonly offset: number;
  /** The field of a header, or the instruction. */
  readonly what: string;
  readonly why: string;
}

interface Source {
  readonly entry: number;
  readonly lines: readonly Line[];
  /** Offsets of the labels, which stand in comments of their own. */
  readonly labels: ReadonlyMap<string, number>;
}

/** Lines that hold bytes must have the form `bytes # offset  what ; why` (BS-4). */
function readSource(rung: string): Source {
  const lines: Line[] = [];
  const labels = new Map<string, number>();
  let waiting: string[] = [];
  for (const text of sourceOf(rung).toString("utf8").split("\n")) {
    const label = /^# (\w+):(?: |$)/.exec(text)?.[1];
    if (label !== undefined) waiting.push(label);
    if (text === "" || text.startsWith("#")) continue;
    const match = /^((?:[0-9a-f]{2} )+) *# ([0-9a-f]{4}) {2}(.+?)(?: +; +(.*))?$/.exec(text);
    if (match === null) throw new Error(`expected bytes # offset  what ; why, found ${JSON.stringify(text)}`);
    const [, hex = "", offset = "", what = "", why = ""] = match;
    const line = { hex: hex.trim(), offset: parseInt(offset, 16), what, why };
    for (const each of waiting) labels.set(each, line.offset);
    waiting = [];
    lines.push(line);
  }
  const bytes = assembleHex0(sourceOf(rung)) ?? Buffer.alloc(0);
  return { entry: Number(bytes.readBigUInt64LE(24)) - 0x400000, lines, labels };
}

/** objdump writes out what the string instructions do; a reader knows them by their names. */
const shortForms: readonly (readonly [string, string])[] = [
  ["stos BYTE PTR es:[rdi],al", "stosb"],
  ["lods al,BYTE PTR ds:[rsi]", "lodsb"],
  ["repz cmps BYTE PTR ds:[rsi],BYTE PTR es:[rdi]", "repe cmpsb"],
  ["repnz scas al,BYTE PTR es:[rdi]", "repne scasb"],
  ["*1]", "]"],
];

/** `bytes # offset  what` for each instruction, as objdump reads them. */
function disassemble(file: string, entry: number): string[] | undefined {
  const how = ["-D", "-w", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", `--start-address=${entry}`];
  const result = spawnSync("objdump", [...how, file], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  if (result.error !== undefined) return undefined;
  return result.stdout.split("\n").flatMap((line) => {
    const [, offset, hex = "", text = ""] = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(.*)$/.exec(line) ?? [];
    if (offset === undefined) return [];
    const plain = text
      .replace(/\s*#.*/, "")
      .replaceAll(/\s+/g, " ")
      .trim();
    const short = shortForms.reduce((so, [long, form]) => so.replace(long, form), plain);
    return [`${hex} # ${offset.padStart(4, "0")}  ${short}`];
  });
}

describe.each(["hex0", "same", "hex1"])("the source of %s", (rung) => {
  const { entry, lines, labels } = readSource(rung);

  it("gives each line its offset in the file (BS-4)", () => {
    let offset = 0;
    for (const line of lines) {
      expect(line.offset).toBe(offset);
      offset += line.hex.split(" ").length;
    }
  });

  it("gives each instruction a reason (BS-4)", () => {
    expect(lines.filter(({ offset, why }) => offset >= entry && why === "")).toEqual([]);
  });

  it("names the label that each jump and call goes to (BS-4)", () => {
    const jumps = lines.filter(({ offset, what }) => offset >= entry && /^(j|call|loop)/.test(what));
    expect(jumps.length).toBeGreaterThan(3);
    for (const { what, why } of jumps) {
      const label = /^-> (\w+)/.exec(why)?.[1] ?? "";
      expect([what, labels.get(label)]).toEqual([what, parseInt(what.split(" ")[1] ?? "", 16)]);
    }
  });

  it("says of each instruction what objdump says of its bytes (BS-4)", (context) => {
    const file = workshop.path(rung);
    writeFileSync(file, assembleHex0(sourceOf(rung)) ?? "");
    const found = disassemble(file, entry);
    if (found === undefined) {
      console.warn("SKIPPED: objdump is missing (apt-get install binutils): the instructions were not checked");
      context.skip();
      return;
    }
    const code = lines.filter(({ offset }) => offset >= entry);
    const written = code.map(({ hex, offset, what }) => `${hex} # ${offset.toString(16).padStart(4, "0")}  ${what}`);
    expect(written).toEqual(found);
  });

  it.skipIf(!canRunRungs())("is the same program when hex1 works its jumps out from the labels (BS-23, BS-25)", () => {
    const rewritten = lines.map((line) => {
      const here = [...labels].filter(([, offset]) => offset === line.offset).map(([label]) => `:${label} `);
      return here.join("") + withLabel(line, entry);
    });
    const { status, output } = workshop.assemble(workshop.build("hex1"), rewritten.join("\n"));
    expect([status, output]).toEqual([0, assembleHex0(sourceOf(rung))]);
  });
});

/** The line's bytes, with the distance of a jump or call given by its label. */
function withLabel({ hex, offset, what, why }: Line, entry: number): string {
  const label = /^-> (\w+)/.exec(why)?.[1];
  if (offset < entry || label === undefined) return hex;
  const bytes = hex.split(" ");
  const short = bytes.length === 2;
  expect([what, bytes.length]).toEqual([what, short ? 2 : bytes[0] === "0f" ? 6 : 5]);
  return `${bytes.slice(0, short ? -1 : -4).join(" ")} ${short ? "!" : "%"}${label}`;
}
