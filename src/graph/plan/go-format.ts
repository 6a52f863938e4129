/**
 * The texts that Go's standard library makes of values, where they show in the history of an image: strconv.Quote,
 * fmt's `%q` of an integer, time.Duration. Source: the documentation of Go's packages, checked against a real BuildKit.
 */

const shortEscapes: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x5c, "\\\\"],
]);
/** Go calls letters, marks, numbers, punctuation, symbols and the plain space printable. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const replacement = 0xfffd;
const maxRune = 0x10ffff;

/** A text as Go's `%q` writes it. */
export function quoteText(text: string): string {
  let quoted = "";
  for (const character of text) quoted += character === '"' ? '\\"' : escapeRune(character.codePointAt(0) ?? 0);
  return `"${quoted}"`;
}

/** A list of texts as Go's `%q` writes it: `["a" "b"]`. */
export function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(" ")}]`;
}

/** An integer as Go's `%q` writes it, namely as the character of that number: `'\x00'`. */
export function quoteNumber(value: number): string {
  const rune = value > maxRune || (value >= 0xd800 && value <= 0xdfff) ? replacement : value;
  return rune === 0x27 ? "'\\''" : `'${escapeRune(rune)}'`;
}

function escapeRune(rune: number): string {
  const short = shortEscapes.get(rune);
  if (short !== undefined) return short;
  const character = String.fromCodePoint(rune);
  if (printable.test(character)) return character;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}

/** A duration in nanoseconds, 0 or at least a millisecond, as Go's time.Duration prints it: `1m30s`, `500ms`, `0s`. */
export function renderDuration(exactNanoseconds: number): string {
  const nanoseconds = BigInt(exactNanoseconds);
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 1_000_000n)}ms`;
  const hours = nanoseconds / 3_600_000_000_000n;
  const minutes = (nanoseconds / 60_000_000_000n) % 60n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${minutes}m${seconds}` : seconds;
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, "0")
    .replace(/0+$/, "");
  return fraction === "" ? `${value / unit}` : `${value / unit}.${fraction}`;
}
