// The search for matches (rules GZ-3 to GZ-6). Positions are places in the window.
import { resetBits } from "./bits";
import { writeBlock } from "./block";
import {
  BLOCK_TOKENS,
  HALF_WINDOW,
  HASH_BITS,
  LONGEST_MATCH,
  SHORTEST_MATCH,
  WANTED_LOOKAHEAD,
  WINDOW_SIZE,
  hashHead,
  hashPrevious,
  tokens,
  win,
} from "./memory";

const HASH_FACTOR: u32 = 0x1e35a7bd;
const HASH_SHIFT: u32 = 32 - HASH_BITS;
/** "No match": one less than the shortest. */
const NO_MATCH: i32 = SHORTEST_MATCH - 1;
/** Candidates that are looked at for one position. */
const MOST_CANDIDATES: i32 = 128;
/** A match of this length ends the search. */
const NICE_LENGTH: i32 = 128;
/** A match of this length is taken without a look at the position after it. */
const LAZY_LENGTH: i32 = 16;
/** A match of the shortest length is taken up to this distance only. */
const NEAR_DISTANCE: i32 = 4096;
/** From here on the window slides when input arrives. */
const SLIDE_FROM: i32 = WINDOW_SIZE - WANTED_LOOKAHEAD;
const TOKENS_END: usize = tokens + BLOCK_TOKENS * 4;
/** The block began before the window: its bytes can no longer be stored as they are. */
const LEFT_WINDOW: i32 = i32.MAX_VALUE;

let position: i32 = 0;
let windowEnd: i32 = 0;
let blockStart: i32 = 0;
let nextToken: usize = tokens;
/** The match that was found at the position before this one. */
let heldLength: i32 = NO_MATCH;
let heldDistance: i32 = 0;
/** The byte before this position is not in a token yet. */
let literalHeld: bool = false;

export function resetDeflate(): void {
  resetBits();
  memory.fill(hashHead, 0, (1 << HASH_BITS) * 2);
  memory.fill(hashPrevious, 0, HALF_WINDOW * 2);
  position = 0;
  windowEnd = 0;
  blockStart = 0;
  nextToken = tokens;
  heldLength = NO_MATCH;
  heldDistance = 0;
  literalHeld = false;
}

/** Takes HALF_WINDOW off every entry of a table; those that leave the window become 0. */
function slideTable(table: usize, bytes: usize): void {
  const half = i16x8.splat(<i16>HALF_WINDOW);
  for (let at = table; at < table + bytes; at += 16) {
    v128.store(at, i16x8.sub_sat_u(v128.load(at), half));
  }
}

function slideWindow(): void {
  memory.copy(win, win + HALF_WINDOW, HALF_WINDOW);
  slideTable(hashHead, (1 << HASH_BITS) * 2);
  slideTable(hashPrevious, HALF_WINDOW * 2);
  position -= HALF_WINDOW;
  windowEnd -= HALF_WINDOW;
  blockStart = blockStart >= HALF_WINDOW && blockStart != LEFT_WINDOW ? blockStart - HALF_WINDOW : LEFT_WINDOW;
}

/** Takes up to `length` bytes into the window, sliding it if it is time to. Returns how many it took. */
export function fillWindow(from: usize, length: i32): i32 {
  if (position >= SLIDE_FROM) slideWindow();
  const taken = min(length, WINDOW_SIZE - windowEnd);
  memory.copy(win + <usize>windowEnd, from, taken);
  windowEnd += taken;
  return taken;
}

export function windowIsFull(): bool {
  return windowEnd == WINDOW_SIZE;
}

/** Writes the tokens before `tokensEnd` as a block whose bytes end before `end`. */
function endBlock(tokensEnd: usize, end: i32): void {
  const length = blockStart <= end ? end - blockStart : -1;
  writeBlock(tokensEnd, win + <usize>blockStart, length);
  blockStart = end;
}

/** Enters a position under the hash of its four bytes, `word`, and returns what stood there before. */
function enterHash(word: u32, at: i32): i32 {
  const slot = hashHead + <usize>(((word * HASH_FACTOR) >> HASH_SHIFT) << 1);
  const previous = load<u16>(slot);
  store<u16>(hashPrevious + <usize>((at & (HALF_WINDOW - 1)) << 1), previous);
  store<u16>(slot, <u16>(at + 1));
  return <i32>previous - 1;
}

/** How many bytes are equal at two addresses, `limit` at most. */
function equalBytes(a: usize, b: usize, limit: i32): i32 {
  let length: i32 = 0;
  do {
    const difference = load<u64>(a + <usize>length) ^ load<u64>(b + <usize>length);
    if (difference != 0) return min(length + <i32>(ctz(difference) >> 3), limit);
    length += 8;
  } while (length < limit);
  return limit;
}

/**
 * Follows the chain from `candidate` for a match longer than `beaten` (3 where there is none to beat) and of `limit` at
 * most. Returns length << 16 | distance, or 0 where nothing is worth a match.
 */
function findMatch(at: i32, candidate: i32, limit: i32, beaten: i32): i32 {
  const here = win + <usize>at;
  const oldest = max(at - HALF_WINDOW, 0);
  const nice = min(limit, NICE_LENGTH);
  let best: i32 = 0;
  let length = <usize>beaten;
  // Only a longer match counts, and a longer one has these four bytes, the last of which is beyond the best so far.
  let wanted = load<u32>(here + length - 3);
  let left = MOST_CANDIDATES;
  while (true) {
    const there = win + <usize>candidate;
    if (load<u32>(there + length - 3) == wanted) {
      const found = equalBytes(there, here, limit);
      const distance = at - candidate;
      if (found > <i32>length && (found > SHORTEST_MATCH || distance <= NEAR_DISTANCE)) {
        length = <usize>found;
        best = (found << 16) | distance;
        if (found >= nice) break;
        wanted = load<u32>(here + length - 3);
      }
    }
    if (--left == 0) break;
    const next = <i32>load<u16>(hashPrevious + <usize>((candidate & (HALF_WINDOW - 1)) << 1)) - 1;
    // Chains lead back in time. One test for both ends of them: below the window, and (at the oldest position, whose
    // link the present one has overwritten) a link that leads forward.
    if (<u32>(next - oldest) >= <u32>(candidate - oldest)) break;
    candidate = next;
  }
  return best;
}

/** The three bytes from `at`, first one highest: what a rolling hash word needs. */
function threeBytes(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 16) | ((<u32>load<u8>(at, 1)) << 8) | (<u32>load<u8>(at, 2));
}

/** Turns what the window holds into tokens: all of it if `last`, else up to where more lookahead is wanted. */
export function deflate(last: bool): void {
  const end = windowEnd;
  const wanted = last ? 1 : WANTED_LOOKAHEAD;
  // The last bytes of the stream are too few for a hash.
  const hashEnd = end - NO_MATCH;
  // The hot loop keeps the state in locals, which the compiler can hold in registers.
  let at = position;
  let token = nextToken;
  let literal = literalHeld;
  let held = heldLength;
  let heldFrom = heldDistance;
  let word = threeBytes(win + <usize>at);
  while (end - at >= wanted) {
    const lookahead = end - at;
    let candidate: i32 = -1;
    if (at < hashEnd) {
      word = (word << 8) | (<u32>load<u8>(win + <usize>at, 3));
      candidate = enterHash(word, at);
    }
    let found: i32 = 0;
    if (candidate >= max(at - HALF_WINDOW, 0) && lookahead > held && held < LAZY_LENGTH) {
      found = findMatch(at, candidate, min(lookahead, LONGEST_MATCH), held);
    }
    if (held >= SHORTEST_MATCH && found == 0) {
      // The match of the position before is taken; this position is its second byte.
      const matchEnd = at + held - 1;
      const enterEnd = min(matchEnd, hashEnd);
      for (at++; at < enterEnd; at++) {
        word = (word << 8) | (<u32>load<u8>(win + <usize>at, 3));
        enterHash(word, at);
      }
      at = matchEnd;
      store<u32>(token, ((held - 3) << 16) | heldFrom);
      token += 4;
      held = NO_MATCH;
      literal = false;
    } else {
      if (literal) {
        store<u32>(token, (<u32>load<u8>(win + <usize>at - 1)) << 16);
        token += 4;
      }
      at++;
      literal = true;
      held = found == 0 ? NO_MATCH : found >> 16;
      heldFrom = found & 0xffff;
    }
    if (token == TOKENS_END) {
      endBlock(token, at - i32(literal));
      token = tokens;
    }
  }
  position = at;
  nextToken = token;
  literalHeld = literal;
  heldLength = held;
  heldDistance = heldFrom;
  if (last) endStream();
}

function endStream(): void {
  if (literalHeld) {
    store<u32>(nextToken, (<u32>load<u8>(win + <usize>position - 1)) << 16);
    nextToken += 4;
  }
  literalHeld = false;
  if (nextToken > tokens) endBlock(nextToken, position);
  nextToken = tokens;
}
