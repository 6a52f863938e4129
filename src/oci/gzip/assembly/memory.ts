// The fixed places in linear memory. There is no heap: an encoder is one instance of this module, and everything it
// will ever need is laid out here, which is what bounds its memory.

/** Half of the window; also the longest distance of RFC 1951 (rule GZ-4). */
export const HALF_WINDOW: i32 = 32768;
export const WINDOW_SIZE: i32 = 2 * HALF_WINDOW;
export const SHORTEST_MATCH: i32 = 4;
export const LONGEST_MATCH: i32 = 258;
/** Positions with less than this ahead of them wait for more input (rule GZ-6). */
export const WANTED_LOOKAHEAD: i32 = SHORTEST_MATCH + LONGEST_MATCH;
export const BLOCK_TOKENS: i32 = 16384;
export const HASH_BITS: i32 = 17;

export const INPUT_CAPACITY: i32 = 65536;
/** Output that may wait before the host must take it. */
export const OUTPUT_WAITING: i32 = 65536;
/**
 * One call adds at most the tokens of a full window and of an unfinished block: fewer than 6 blocks. No block is longer
 * than its fixed-code form (31 bits for each token) or, where that is chosen instead, a shorter one.
 */
const OUTPUT_ADDED: i32 = 6 * (BLOCK_TOKENS * 4 + 64);

/** Wide reads may run past the window's end; what they read there never counts. */
const READ_SLACK: i32 = 64;

export const input: usize = memory.data(INPUT_CAPACITY, 16);
export const output: usize = memory.data(OUTPUT_WAITING + OUTPUT_ADDED, 16);
export const win: usize = memory.data(WINDOW_SIZE + READ_SLACK, 16);
/** For each hash: one more than the last window position that has it; 0 for none. u16. */
export const hashHead: usize = memory.data((1 << HASH_BITS) * 2, 16);
/** For each position modulo HALF_WINDOW: one more than the position before it with the same hash; 0 for none. u16. */
export const hashPrevious: usize = memory.data(HALF_WINDOW * 2, 16);
/** u32 each: distance (0 for a literal) in the low half; in the high half the literal or the length minus 3. */
export const tokens: usize = memory.data(BLOCK_TOKENS * 4, 16);
