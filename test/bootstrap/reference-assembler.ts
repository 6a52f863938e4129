/**
 * Twins of the rungs, written from docs/spec/bootstrap.md and from nothing else: they share no idea with the machine
 * code (no marks, no passes over a cursor), so that an error is not made twice.
 */

/** The bytes that a text in the language of hex0 names (BS-10 to BS-13), or undefined where the digits do not pair. */
export function assembleHex0(text: Buffer): Buffer | undefined {
  const code = text.toString("latin1").split("\n").map(withoutComment).join("");
  const digits = code.replaceAll(/[^0-9A-Fa-f]/g, "");
  return digits.length % 2 === 0 ? Buffer.from(digits, "hex") : undefined;
}

function withoutComment(line: string): string {
  return line.split(/[#;]/, 1)[0] ?? "";
}

/** Why hex1 refuses a text; the values are the exit statuses of BS-28. */
export const hex1Faults = {
  loneDigit: 1,
  unknownCharacter: 2,
  unendedText: 3,
  noName: 4,
  definedTwice: 5,
  unknownLabel: 6,
  doesNotFit: 7,
  trouble: 8,
} as const;

export class Hex1Fault extends Error {
  constructor(
    readonly status: number,
    /** The rest of the line from the item that is at fault. */
    readonly rest: string,
  ) {
    super(`status ${status} at ${rest}`);
  }
}

interface Item {
  /** Sigil and the rest, as the pattern below cut it. */
  readonly text: string;
  readonly rest: string;
  readonly address: bigint;
}

const item = new RegExp(
  [
    /[#;][^\n]*/,
    /"[^"\n]*"?/,
    /=[0-9A-Fa-f]*/,
    /:[.-\xff]*/,
    /[!%$&@][.-\xff]*(?:-[.-\xff]*)?/,
    /[0-9A-Fa-f]{1,2}/,
    /[^]/,
  ]
    .map((each) => each.source)
    .join("|"),
  "g",
);

const fields: Readonly<Record<string, { size: number; relative: boolean }>> = {
  "!": { size: 1, relative: true },
  "%": { size: 4, relative: true },
  $: { size: 1, relative: false },
  "&": { size: 4, relative: false },
  "@": { size: 8, relative: false },
};

/**
 * The bytes that a text in the language of hex1 names (BS-20 to BS-27).
 * @throws Hex1Fault for the first fault of the first pass, else for the first of the second.
 */
export function assembleHex1(source: Buffer): Buffer {
  const text = source.toString("latin1") + "\n";
  const labels = new Map<string, bigint>();
  const items = readItems(text, labels);
  return Buffer.concat(items.map((each) => renderItem(each, labels)));
}

function readItems(text: string, labels: Map<string, bigint>): Item[] {
  let address = 0n;
  const items: Item[] = [];
  for (const match of text.matchAll(item)) {
    const rest = text.slice(match.index, text.indexOf("\n", match.index) + 1);
    const each: Item = { text: match[0], rest, address };
    if (each.text.startsWith("=")) address = BigInt.asUintN(64, BigInt("0x0" + each.text.slice(1)));
    else if (each.text.startsWith(":")) define(each, labels);
    else address = BigInt.asUintN(64, address + BigInt(sizeOf(each)));
    items.push(each);
  }
  return items;
}

function define({ text, rest, address }: Item, labels: Map<string, bigint>): void {
  const name = text.slice(1);
  if (name === "") throw new Hex1Fault(hex1Faults.noName, rest);
  if (labels.has(name)) throw new Hex1Fault(hex1Faults.definedTwice, rest);
  labels.set(name, address);
}

function sizeOf({ text, rest }: Item): number {
  const field = fields[text.charAt(0)];
  if (field !== undefined) {
    if (text.slice(1).split("-").includes("")) throw new Hex1Fault(hex1Faults.noName, rest);
    return field.size;
  }
  if (/^[#;\0- ]/.test(text)) return 0;
  if (text.startsWith('"')) {
    if (text.length < 2 || !text.endsWith('"')) throw new Hex1Fault(hex1Faults.unendedText, rest);
    return text.length - 2;
  }
  if (!/^[0-9A-Fa-f]/.test(text)) throw new Hex1Fault(hex1Faults.unknownCharacter, rest);
  if (text.length === 1) throw new Hex1Fault(hex1Faults.loneDigit, rest);
  return 1;
}

function renderItem(each: Item, labels: ReadonlyMap<string, bigint>): Buffer {
  const { text, rest, address } = each;
  const field = fields[text.charAt(0)];
  if (field !== undefined) {
    const [name = "", base] = text.slice(1).split("-");
    const target = valueOf(name, rest, labels);
    const implied = field.relative ? address + BigInt(field.size) : 0n;
    const from = base === undefined ? implied : valueOf(base, rest, labels);
    return renderValue(BigInt.asIntN(64, target - from), field, rest);
  }
  if (/^[0-9A-Fa-f]/.test(text)) return Buffer.from(text, "hex");
  return text.startsWith('"') ? Buffer.from(text.slice(1, -1), "latin1") : Buffer.alloc(0);
}

function valueOf(name: string, rest: string, labels: ReadonlyMap<string, bigint>): bigint {
  const value = labels.get(name);
  if (value === undefined) throw new Hex1Fault(hex1Faults.unknownLabel, rest);
  return value;
}

function renderValue(value: bigint, { size, relative }: { size: number; relative: boolean }, rest: string): Buffer {
  const bits = size * 8;
  const signed = BigInt.asIntN(bits, value) === value;
  const unsigned = BigInt.asUintN(bits, value) === value;
  if (size < 8 && !signed && (relative || !unsigned)) throw new Hex1Fault(hex1Faults.doesNotFit, rest);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes.subarray(0, size);
}
