// The output as a stream of bits, least significant first (RFC 1951, 3.1.1).
import { output } from "./memory";

let pending: u64 = 0;
let pendingCount: u32 = 0;
/** Whole bytes that wait in `output`. */
export let outputLength: i32 = 0;

export function resetBits(): void {
  pending = 0;
  pendingCount = 0;
  outputLength = 0;
}

export function clearOutput(): void {
  outputLength = 0;
}

/** Appends the low `count` bits of `value`, which has no others; at most 56 bits at once. */
export function writeBits(value: u64, count: u32): void {
  const bits = pending | (value << pendingCount);
  const total = pendingCount + count;
  store<u64>(output + <usize>outputLength, bits);
  outputLength += total >> 3;
  pending = bits >> (total & ~7);
  pendingCount = total & 7;
}

/** Fills the last byte with zero bits. */
export function alignToByte(): void {
  if (pendingCount > 0) writeBits(0, 8 - pendingCount);
}

/** Appends whole bytes; the stream must stand at a byte's start. */
export function writeBytes(from: usize, length: i32): void {
  memory.copy(output + <usize>outputLength, from, <usize>length);
  outputLength += length;
}

/** Appends a stored block (RFC 1951, 3.2.4) of at most 65535 bytes. */
export function writeStoredBlock(from: usize, length: i32, final: bool): void {
  writeBits(final ? 1 : 0, 3);
  alignToByte();
  writeBits((<u64>length) | ((<u64>(length ^ 0xffff)) << 16), 32);
  writeBytes(from, length);
}
