// The symbols of RFC 1951, 3.2.5: lengths and distances as a code and extra bits.

export const LITERAL_SYMBOLS: i32 = 286;
export const DISTANCE_SYMBOLS: i32 = 30;
export const END_OF_BLOCK: i32 = 256;
const FIRST_LENGTH_SYMBOL: i32 = 257;
/** Lengths are kept less 3, which makes them a byte. */
const LENGTHS: i32 = 256;

/** For each length less 3: symbol | extra bit count << 9 | extra bits << 12. u32. */
export const lengthTable: usize = memory.data(LENGTHS * 4, 16);
/** The code of RFC 1951, 3.2.6, in the form that `buildCode` gives. u32. */
export const fixedLiteralCode: usize = memory.data((LITERAL_SYMBOLS + 2) * 4, 16);
export const fixedDistanceCode: usize = memory.data(32 * 4, 16);

export function lengthExtraCount(symbol: i32): i32 {
  if (symbol < 265 || symbol == 285) return 0;
  return (symbol - 261) >> 2;
}

/** The symbol of a distance less 1. */
export function distanceSymbol(distance: u32): u32 {
  if (distance < 2) return distance;
  const top = 31 - clz(distance);
  return 2 * top + ((distance >> (top - 1)) & 1);
}

export function distanceExtraCount(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1;
}

export function fillLengthTable(): void {
  let length: i32 = 0;
  for (let symbol = FIRST_LENGTH_SYMBOL; symbol < LITERAL_SYMBOLS - 1; symbol++) {
    const extraCount = lengthExtraCount(symbol);
    for (let extra: i32 = 0; extra < 1 << extraCount; extra++) {
      store<u32>(lengthTable + ((<usize>length) << 2), symbol | (extraCount << 9) | (extra << 12));
      length++;
    }
  }
  // 258 has a symbol of its own, which takes it from the range before.
  store<u32>(lengthTable + 255 * 4, LITERAL_SYMBOLS - 1);
}
