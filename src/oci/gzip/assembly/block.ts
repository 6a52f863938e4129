// One block of tokens as bits: the choice between stored, fixed and dynamic codes (rules GZ-9 to GZ-12).
import { writeBits, writeStoredBlock } from "./bits";
import { codeLengthBits, planCodeLengths, writeCodeLengths } from "./code-lengths";
import { buildCode, encodedBits, numberCodes } from "./huffman";
import { tokens } from "./memory";
import {
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LITERAL_SYMBOLS,
  distanceExtraCount,
  distanceSymbol,
  fillLengthTable,
  fixedDistanceCode,
  fixedLiteralCode,
  lengthExtraCount,
  lengthTable,
} from "./symbols";

const LONGEST_STORED: i32 = 65535;

const literalFrequencies: usize = memory.data(LITERAL_SYMBOLS * 4, 16);
const distanceFrequencies: usize = memory.data(DISTANCE_SYMBOLS * 4, 16);
const literalCode: usize = memory.data(LITERAL_SYMBOLS * 4, 16);
const distanceCode: usize = memory.data(DISTANCE_SYMBOLS * 4, 16);
/** For each length less 3: code and extra bits as one string, count << 24 | bits. u32. */
const lengthStrings: usize = memory.data(256 * 4, 16);

/** To be called once, before anything else here. */
export function prepareBlocks(): void {
  fillLengthTable();
  for (let symbol: i32 = 0; symbol < LITERAL_SYMBOLS + 2; symbol++) {
    const length = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    store<u32>(fixedLiteralCode + ((<usize>symbol) << 2), length << 16);
  }
  numberCodes(fixedLiteralCode, LITERAL_SYMBOLS + 2);
  for (let symbol: i32 = 0; symbol < 32; symbol++) store<u32>(fixedDistanceCode + ((<usize>symbol) << 2), 5 << 16);
  numberCodes(fixedDistanceCode, 32);
}

function increment(frequencies: usize, symbol: u32): void {
  const at = frequencies + ((<usize>symbol) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

function countSymbols(end: usize): void {
  memory.fill(literalFrequencies, 0, LITERAL_SYMBOLS * 4);
  memory.fill(distanceFrequencies, 0, DISTANCE_SYMBOLS * 4);
  for (let at = tokens; at < end; at += 4) {
    const token = load<u32>(at);
    const distance = token & 0xffff;
    if (distance == 0) {
      increment(literalFrequencies, token >> 16);
    } else {
      increment(literalFrequencies, load<u32>(lengthTable + <usize>((token >> 16) << 2)) & 511);
      increment(distanceFrequencies, distanceSymbol(distance - 1));
    }
  }
  store<u32>(literalFrequencies, 1, END_OF_BLOCK * 4);
}

function usedSymbols(frequencies: usize, symbols: i32): i32 {
  while (symbols > 0 && load<u32>(frequencies + ((<usize>(symbols - 1)) << 2)) == 0) symbols--;
  return symbols;
}

function extraBits(): u32 {
  let bits: u32 = 0;
  for (let symbol: i32 = 265; symbol < LITERAL_SYMBOLS; symbol++) {
    bits += load<u32>(literalFrequencies + ((<usize>symbol) << 2)) * lengthExtraCount(symbol);
  }
  for (let symbol: i32 = 4; symbol < DISTANCE_SYMBOLS; symbol++) {
    bits += load<u32>(distanceFrequencies + ((<usize>symbol) << 2)) * distanceExtraCount(symbol);
  }
  return bits;
}

function huffmanBits(literals: usize, distances: usize): u32 {
  return (
    encodedBits(literalFrequencies, literals, LITERAL_SYMBOLS) +
    encodedBits(distanceFrequencies, distances, DISTANCE_SYMBOLS)
  );
}

function fillLengthStrings(literals: usize): void {
  for (let length: usize = 0; length < 256; length++) {
    const entry = load<u32>(lengthTable + (length << 2));
    const code = load<u32>(literals + <usize>((entry & 511) << 2));
    const codeLength = code >> 16;
    const bits = (code & 0xffff) | ((entry >> 12) << codeLength);
    store<u32>(lengthStrings + (length << 2), bits | ((codeLength + ((entry >> 9) & 7)) << 24));
  }
}

function writeTokens(end: usize, literals: usize, distances: usize): void {
  fillLengthStrings(literals);
  for (let at = tokens; at < end; at += 4) {
    const token = load<u32>(at);
    const distance = token & 0xffff;
    if (distance == 0) {
      const code = load<u32>(literals + <usize>((token >> 16) << 2));
      writeBits(code & 0xffff, code >> 16);
    } else {
      const lengthString = load<u32>(lengthStrings + <usize>((token >> 16) << 2));
      const lengthBits = lengthString >> 24;
      const symbol = distanceSymbol(distance - 1);
      const code = load<u32>(distances + <usize>(symbol << 2));
      const codeLength = code >> 16;
      const extraCount = distanceExtraCount(symbol);
      const extra = (distance - 1) & ((1 << extraCount) - 1);
      const distanceBits = <u64>((code & 0xffff) | (extra << codeLength));
      writeBits((<u64>(lengthString & 0xffffff)) | (distanceBits << lengthBits), lengthBits + codeLength + extraCount);
    }
  }
  const endCode = load<u32>(literals, END_OF_BLOCK * 4);
  writeBits(endCode & 0xffff, endCode >> 16);
}

/**
 * Writes the tokens before `end` as one block that is not the last. `source` is where the bytes stand that they
 * encode, `length` their number; a length below 0 says that a part of them has left the window.
 */
export function writeBlock(end: usize, source: usize, length: i32): void {
  countSymbols(end);
  const literals = usedSymbols(literalFrequencies, LITERAL_SYMBOLS);
  let distances = usedSymbols(distanceFrequencies, DISTANCE_SYMBOLS);
  if (distances == 0) {
    // RFC 1951 wants one distance code at least. That it is counted as if it were used decides close choices (GZ-9).
    store<u32>(distanceFrequencies, 1);
    distances = 1;
  }
  buildCode(literalFrequencies, LITERAL_SYMBOLS, 15, literalCode);
  buildCode(distanceFrequencies, DISTANCE_SYMBOLS, 15, distanceCode);
  planCodeLengths(literalCode, literals, distanceCode, distances);
  const fixedBits: u32 = 3 + huffmanBits(fixedLiteralCode, fixedDistanceCode);
  const dynamicBits: u32 = 3 + codeLengthBits() + huffmanBits(literalCode, distanceCode);
  const storable = length >= 0 && length <= LONGEST_STORED;
  if (storable && <u32>(length + 5) * 8 < min(fixedBits, dynamicBits) + extraBits()) {
    writeStoredBlock(source, length, false);
  } else if (dynamicBits < fixedBits) {
    writeBits(4, 3);
    writeCodeLengths(literals, distances);
    writeTokens(end, literalCode, distanceCode);
  } else {
    writeBits(2, 3);
    writeTokens(end, fixedLiteralCode, fixedDistanceCode);
  }
}
