// Code lengths and codes of one alphabet (rules GZ-9 and GZ-10): package-merge over symbols in order of frequency, with
// the tie-breaks that decide which of several equally short codes is the canonical one.

const MOST_SYMBOLS: i32 = 286;
const MOST_BITS: i32 = 15;
const LEVEL_ITEMS: i32 = 2 * MOST_SYMBOLS;

/** Symbols that occur, in order of frequency then symbol: frequency << 9 | symbol. u32. */
const ranking: usize = memory.data(MOST_SYMBOLS * 4, 16);
/** Weights of the items of a level, and of the level below it. u32. */
const evenWeights: usize = memory.data(LEVEL_ITEMS * 4, 16);
const oddWeights: usize = memory.data(LEVEL_ITEMS * 4, 16);
/** For each level and count n: how many of the level's first n items are symbols (the rest are packages). u16. */
const LEVEL_COUNTS: usize = <usize>(LEVEL_ITEMS + 1) * 2;
const symbolsAmong: usize = memory.data((MOST_BITS + 1) * (LEVEL_ITEMS + 1) * 2, 16);
/** The last level that `buildLevel` made differs from the one below. */
let levelDiffers: bool = true;
/** For each length: how many symbols get it; then the next code of it. u32. */
const lengthCounts: usize = memory.data((MOST_BITS + 1) * 4, 16);
const nextCodes: usize = memory.data((MOST_BITS + 1) * 4, 16);

/** Lists the symbols whose frequency is not zero, rarest first, equals by symbol. Returns how many. */
function rankSymbols(frequencies: usize, symbols: i32): i32 {
  let count: i32 = 0;
  for (let symbol: i32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(frequencies + ((<usize>symbol) << 2));
    if (frequency == 0) continue;
    store<u32>(ranking + ((<usize>count) << 2), (frequency << 9) | (<u32>symbol));
    count++;
  }
  sortRanking(count);
  return count;
}

/** Shell sort: the keys are distinct, so every correct sort gives the same order. */
function sortRanking(count: i32): void {
  let gap: i32 = 301;
  while (gap > 0) {
    for (let at = gap; at < count; at++) {
      const key = load<u32>(ranking + ((<usize>at) << 2));
      let slot = at;
      while (slot >= gap) {
        const other = load<u32>(ranking + ((<usize>(slot - gap)) << 2));
        if (other < key) break;
        store<u32>(ranking + ((<usize>slot) << 2), other);
        slot -= gap;
      }
      store<u32>(ranking + ((<usize>slot) << 2), key);
    }
    gap = gap == 1 ? 0 : gap <= 4 ? 1 : (gap * 4) / 9;
  }
}

/**
 * Merges the symbols with the pairs of the level below, lighter first, a pair before a symbol of its weight. Returns the
 * number of items.
 */
function buildLevel(level: i32, symbols: i32, below: usize, belowItems: i32, weights: usize): i32 {
  const counts = symbolsAmong + <usize>level * LEVEL_COUNTS;
  const pairs = belowItems >> 1;
  const items = symbols + pairs;
  let symbol: i32 = 0;
  let pair: i32 = 0;
  let differences: u32 = items ^ belowItems;
  store<u16>(counts, 0);
  for (let item: i32 = 0; item < items; item++) {
    const symbolWeight = symbol < symbols ? load<u32>(ranking + ((<usize>symbol) << 2)) >> 9 : u32.MAX_VALUE;
    const pairAt = below + ((<usize>pair) << 3);
    const pairWeight = pair < pairs ? load<u32>(pairAt) + load<u32>(pairAt, 4) : u32.MAX_VALUE;
    const takeSymbol = symbolWeight < pairWeight;
    const weight = takeSymbol ? symbolWeight : pairWeight;
    store<u32>(weights + ((<usize>item) << 2), weight);
    differences |= weight ^ load<u32>(below + ((<usize>item) << 2));
    symbol += i32(takeSymbol);
    pair += i32(!takeSymbol);
    store<u16>(counts + ((<usize>(item + 1)) << 1), <u16>symbol);
  }
  levelDiffers = differences != 0;
  return items;
}

/** Fills `lengthCounts` for the ranked symbols, three or more. */
function countLengths(symbols: i32, mostBits: i32): void {
  // A deeper tree than this cannot exist, and further levels would break ties in another way.
  const levels = min(mostBits, symbols - 1);
  let weights = evenWeights;
  let below = oddWeights;
  let items: i32 = 0;
  let built: i32 = 0;
  levelDiffers = true;
  // A level depends on the one below only: once two are equal, so are all above.
  while (built < levels && levelDiffers) {
    built++;
    items = buildLevel(built, symbols, below, items, weights);
    const swap = below;
    below = weights;
    weights = swap;
  }
  memory.fill(lengthCounts, 0, (MOST_BITS + 1) * 4);
  let taken = 2 * symbols - 2;
  let symbolsAbove: i32 = 0;
  for (let level = levels; level >= 1; level--) {
    const counts = symbolsAmong + <usize>min(level, built) * LEVEL_COUNTS;
    const symbolsHere = <i32>load<u16>(counts + ((<usize>taken) << 1));
    // A symbol's length is the number of levels where it is taken; each level below takes a part of the one above.
    const depth = levels - level;
    if (depth > 0) store<u32>(lengthCounts + ((<usize>depth) << 2), symbolsAbove - symbolsHere);
    symbolsAbove = symbolsHere;
    taken = 2 * (taken - symbolsHere);
  }
  store<u32>(lengthCounts + ((<usize>levels) << 2), symbolsAbove);
}

function reverseBits(value: u32, count: u32): u32 {
  let reversed: u32 = 0;
  for (let bit: u32 = 0; bit < count; bit++) {
    reversed = (reversed << 1) | (value & 1);
    value >>= 1;
  }
  return reversed;
}

/** Gives the shortest lengths to the most frequent symbols and, among equals, to the highest symbols. */
function assignLengths(symbols: i32, codes: usize): void {
  let rank = symbols;
  for (let length: i32 = 1; length <= MOST_BITS; length++) {
    let left = load<u32>(lengthCounts + ((<usize>length) << 2));
    for (; left > 0; left--) {
      rank--;
      const symbol = load<u32>(ranking + ((<usize>rank) << 2)) & 511;
      store<u32>(codes + ((<usize>symbol) << 2), (<u32>length) << 16);
    }
  }
}

/** Numbers the codes as RFC 1951, 3.2.2 does: by length, then by symbol; each is stored with its first bit lowest. */
export function numberCodes(codes: usize, symbols: i32): void {
  memory.fill(lengthCounts, 0, (MOST_BITS + 1) * 4);
  for (let symbol: i32 = 0; symbol < symbols; symbol++) {
    const length = load<u32>(codes + ((<usize>symbol) << 2)) >> 16;
    const count = lengthCounts + ((<usize>length) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let code: u32 = 0;
  for (let length: i32 = 1; length <= MOST_BITS; length++) {
    store<u32>(nextCodes + ((<usize>length) << 2), code);
    code = (code + load<u32>(lengthCounts + ((<usize>length) << 2))) << 1;
  }
  for (let symbol: i32 = 0; symbol < symbols; symbol++) {
    const entry = codes + ((<usize>symbol) << 2);
    const length = load<u32>(entry) >> 16;
    if (length == 0) continue;
    const next = nextCodes + ((<usize>length) << 2);
    const value = load<u32>(next);
    store<u32>(next, value + 1);
    store<u32>(entry, reverseBits(value, length) | (length << 16));
  }
}

/**
 * Fills `codes` (u32 for each symbol: length << 16 | code, first bit lowest; 0 where the symbol does not occur) with
 * the canonical code for `frequencies` (u32 each) with no length above `mostBits`.
 */
export function buildCode(frequencies: usize, symbols: i32, mostBits: i32, codes: usize): void {
  memory.fill(codes, 0, (<usize>symbols) << 2);
  const count = rankSymbols(frequencies, symbols);
  if (count <= 2) {
    memory.fill(lengthCounts, 0, (MOST_BITS + 1) * 4);
    store<u32>(lengthCounts + 4, count);
  } else {
    countLengths(count, mostBits);
  }
  assignLengths(count, codes);
  numberCodes(codes, symbols);
}

/** Bits that the symbols of `frequencies` take when written with `codes`. */
export function encodedBits(frequencies: usize, codes: usize, symbols: i32): u32 {
  let bits: u32 = 0;
  for (let symbol: i32 = 0; symbol < symbols; symbol++) {
    const at = (<usize>symbol) << 2;
    bits += load<u32>(frequencies + at) * (load<u32>(codes + at) >> 16);
  }
  return bits;
}
