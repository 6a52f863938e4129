import type { ByteString } from "../../base/index.js";

const octalDigits = /^[0-7]{1,24}$/;

/** The text of a field up to its first NUL. */
export function readTarText(block: Buffer, start: number, length: number): ByteString {
  let end = start;
  const limit = start + length;
  while (end < limit && block[end] !== 0) end++;
  return block.toString("latin1", start, end);
}

/**
 * A number of a tar header: octal digits with blanks or NULs around them, or GNU's base-256 form (first bit set, then
 * two's complement). Undefined when it is neither, or beyond 2^53.
 */
export function readTarNumber(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return readBase256(block.subarray(start, start + length));
  let from = start;
  let to = start + length;
  while (from < to && isPadding(block[from])) from++;
  while (to > from && isPadding(block[to - 1])) to--;
  if (from === to) return 0;
  const digits = readTarText(block, from, to - from);
  if (!octalDigits.test(digits)) return undefined;
  const value = Number.parseInt(digits, 8);
  return Number.isSafeInteger(value) ? value : undefined;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

function readBase256(field: Buffer): number | undefined {
  const negative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  field.forEach((byte, index) => {
    const bits = index > 0 ? byte : negative ? byte | 0x80 : byte & 0x7f;
    value = (value << 8n) | BigInt(bits);
  });
  const result = Number(value);
  return Number.isSafeInteger(result) ? result : undefined;
}

/** Whether the checksum of a header block is right; both the unsigned sum and that of old programs (signed) are. */
export function hasTarChecksum(block: Buffer): boolean {
  const stated = readTarNumber(block, 148, 8);
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = 0; i < 512; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    if (byte >= 0x80) high++;
  }
  return stated === unsigned || stated === unsigned - high * 256;
}

/** Whether a block is all zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < 512; i++) if (block[i] !== 0) return false;
  return true;
}
