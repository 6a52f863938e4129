// The module's face: what `../go-gzip-encoder.ts` calls.
import { clearOutput, outputLength, writeBits, writeStoredBlock } from "./bits";
import { prepareBlocks } from "./block";
import { deflate, fillWindow, resetDeflate, windowIsFull } from "./deflate";
import { INPUT_CAPACITY, OUTPUT_WAITING, input, output } from "./memory";

export { clearOutput };
export const inputAddress: usize = input;
export const inputCapacity: i32 = INPUT_CAPACITY;
export const outputAddress: usize = output;
/** Take the output when it has this much. */
export const outputWaiting: i32 = OUTPUT_WAITING;

/** Begins a stream (rule GZ-2). To be called first. */
export function begin(): void {
  prepareBlocks();
  resetDeflate();
  // Identification, method 8, no flags, no time, no extra flags, unknown system.
  writeBits(0x0000_0000_0008_8b1f, 48);
  writeBits(0xff00_0000, 32);
}

/** Takes the first `length` bytes of the input buffer. Returns how many bytes of output wait. */
export function compress(length: i32): i32 {
  let taken: i32 = 0;
  while (taken < length) {
    if (windowIsFull()) deflate(false);
    taken += fillWindow(input + <usize>taken, length - taken);
  }
  return outputLength;
}

/** Marks the end of one write of the producer (rule GZ-6). Returns how many bytes of output wait. */
export function endWrite(): i32 {
  deflate(false);
  return outputLength;
}

/** Ends the stream (rules GZ-8 and GZ-13). Returns how many bytes of output wait. */
export function finish(checksum: u32, size: u32): i32 {
  deflate(true);
  writeStoredBlock(input, 0, true);
  writeBits(<u64>checksum, 32);
  writeBits(<u64>size, 32);
  return outputLength;
}
