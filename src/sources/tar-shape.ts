import { limits } from "../base/index.js";

/** Reads up to `buffer.length` bytes at a place of a file; gives their number. */
export type ReadAt = (buffer: Buffer, position: number) => number;

const blockSize = 512;
const typeFlagAt = 156;
/** Header-only types: whatever their size field says, no data follows. */
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);
const extensions = new Set(["x", "g", "L", "K"]);
/** Extension headers in a row before an entry; an honest one has three. */
const longestRow = 32;

/**
 * Whether a file begins with an entry that Go's archive/tar can read, which is what makes it an archive for ADD
 * (SO-42): an empty tar is none, nor is a file of zeros.
 */
export function beginsWithTarEntry(readAt: ReadAt): boolean {
  const block = Buffer.alloc(blockSize);
  let position = 0;
  for (let row = 0; row < longestRow; row++) {
    if (readAt(block, position) < blockSize || !isHeader(block)) return false;
    const flag = flagOf(block);
    if (flag === "g" || !extensions.has(flag)) return true;
    const size = numberAt(block, 124, 12) ?? 0;
    if (size > limits.tarExtensionSize) return false;
    position += blockSize + padded(size);
  }
  return true;
}

/**
 * Whether the two zero blocks that end a tar are reached within the file. Looks at headers only, and only at what tells
 * the size of each entry's data; the reader of the tar judges the rest.
 */
export function reachesTarEnd(readAt: ReadAt): boolean {
  const block = Buffer.alloc(blockSize);
  let position = 0;
  let paxSize: number | undefined;
  for (let count = 0; count < limits.archiveEntries * 2; count++) {
    if (readAt(block, position) < blockSize) return false;
    position += blockSize;
    if (isZero(block)) return readAt(block, position) === blockSize && isZero(block);
    if (!isHeader(block)) return false;
    const flag = flagOf(block);
    const ownSize = numberAt(block, 124, 12) ?? 0;
    if (flag === "x") paxSize = readPaxSize(readAt, position, ownSize);
    const size = extensions.has(flag) ? ownSize : withoutData.has(flag) ? 0 : (paxSize ?? ownSize);
    if (!extensions.has(flag)) paxSize = undefined;
    position += padded(size);
    if (!Number.isSafeInteger(position)) return false;
  }
  return false;
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

function flagOf(block: Buffer): string {
  return String.fromCharCode(block[typeFlagAt] ?? 0);
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** A block with the right checksum whose numbers can be read. */
function isHeader(block: Buffer): boolean {
  if (isZero(block) || !hasChecksum(block)) return false;
  const numbers = [
    [100, 8],
    [108, 8],
    [116, 8],
    [124, 12],
    [136, 12],
  ] as const;
  if (numbers.some(([at, width]) => numberAt(block, at, width) === undefined)) return false;
  return (numberAt(block, 124, 12) ?? -1) >= 0;
}

/** POSIX sums unsigned bytes; some old tars summed signed ones. The checksum's own field counts as blanks. */
function hasChecksum(block: Buffer): boolean {
  const wanted = numberAt(block, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < blockSize; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return wanted === unsigned || wanted === signed;
}

/** Octal digits between blanks and NULs, or GNU's base-256 (first bit set); undefined when it is neither. */
function numberAt(block: Buffer, at: number, width: number): number | undefined {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    const negative = (first & 0x40) !== 0;
    let value = negative ? -1 : 0;
    for (let index = 0; index < width; index++) {
      const byte = index === 0 ? (negative ? first | 0x80 : first & 0x7f) : (block[at + index] ?? 0);
      value = index === 0 && negative ? byte - 256 : value * 256 + byte;
    }
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = block.toString("latin1", at, at + width).replace(/^[ \0]+/, "");
  const digits = (text.split("\0", 1)[0] ?? "").replace(/ {1,12}$/, "");
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : undefined;
}

/** The `size` record of an extended header: `LENGTH size=NUMBER\n`. */
function readPaxSize(readAt: ReadAt, position: number, size: number): number | undefined {
  if (size > limits.tarExtensionSize) return undefined;
  const data = Buffer.alloc(size);
  const text = data.toString("latin1", 0, readAt(data, position));
  let at = 0;
  let found: number | undefined;
  while (at < text.length) {
    const length = Number(/^[0-9]{1,7} /.exec(text.slice(at, at + 8))?.[0] ?? 0);
    if (length < 5) return found;
    const record = text.slice(at, at + length);
    const value = /^[0-9]{1,7} size=([0-9]{1,15})\n$/.exec(record.slice(0, 40))?.[1];
    if (value !== undefined) found = Number(value);
    at += length;
  }
  return found;
}
