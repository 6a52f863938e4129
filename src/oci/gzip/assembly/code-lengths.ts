// The head of a dynamic block: the code lengths of both alphabets as runs, with a code of their own (rule GZ-11).
import { writeBits } from "./bits";
import { buildCode, encodedBits } from "./huffman";
import { DISTANCE_SYMBOLS, LITERAL_SYMBOLS } from "./symbols";

const RUN_SYMBOLS: i32 = 19;
const REPEAT_PREVIOUS: u32 = 16;
const REPEAT_ZERO: u32 = 17;
const REPEAT_ZERO_LONG: u32 = 18;
const MOST_LENGTHS: i32 = LITERAL_SYMBOLS + DISTANCE_SYMBOLS;

/** The order of RFC 1951, 3.2.7, in which the lengths of the run alphabet are sent. */
const order: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const lengths: usize = memory.data(MOST_LENGTHS, 16);
/** The runs: symbol | repeat value << 8. u16. */
const runs: usize = memory.data(MOST_LENGTHS * 2, 16);
const runFrequencies: usize = memory.data(RUN_SYMBOLS * 4, 16);
const runCode: usize = memory.data(RUN_SYMBOLS * 4, 16);
let runCount: i32 = 0;
let sentRunLengths: i32 = 0;

function addRun(symbol: u32, value: u32): void {
  store<u16>(runs + ((<usize>runCount) << 1), <u16>(symbol | (value << 8)));
  runCount++;
  const at = runFrequencies + ((<usize>symbol) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Splits `count` equal lengths into runs, greedily from the left; what is too short for a run stands singly. */
function addRuns(length: u32, count: i32): void {
  if (length == 0) {
    while (count >= 11) {
      const run = min(count, 138);
      addRun(REPEAT_ZERO_LONG, run - 11);
      count -= run;
    }
    if (count >= 3) {
      addRun(REPEAT_ZERO, count - 3);
      count = 0;
    }
  } else {
    addRun(length, 0);
    count--;
    while (count >= 3) {
      const run = min(count, 6);
      addRun(REPEAT_PREVIOUS, run - 3);
      count -= run;
    }
  }
  for (; count > 0; count--) addRun(length, 0);
}

function copyLengths(codes: usize, symbols: i32, to: usize): void {
  for (let symbol: i32 = 0; symbol < symbols; symbol++) {
    store<u8>(to + <usize>symbol, <u8>(load<u32>(codes + ((<usize>symbol) << 2)) >> 16));
  }
}

/** Works out the runs and their code, for `codeLengthBits` and `writeCodeLengths`. */
export function planCodeLengths(literalCode: usize, literals: i32, distanceCode: usize, distances: i32): void {
  memory.fill(runFrequencies, 0, RUN_SYMBOLS * 4);
  runCount = 0;
  copyLengths(literalCode, literals, lengths);
  copyLengths(distanceCode, distances, lengths + <usize>literals);
  // A run may reach over the border between the two alphabets.
  const total = literals + distances;
  let start: i32 = 0;
  while (start < total) {
    const length = load<u8>(lengths + <usize>start);
    let end = start + 1;
    while (end < total && load<u8>(lengths + <usize>end) == length) end++;
    addRuns(length, end - start);
    start = end;
  }
  buildCode(runFrequencies, RUN_SYMBOLS, 7, runCode);
  sentRunLengths = RUN_SYMBOLS;
  while (sentRunLengths > 4 && runLengthInOrder(sentRunLengths - 1) == 0) sentRunLengths--;
}

function runLengthInOrder(place: i32): u32 {
  return load<u32>(runCode + ((<usize>load<u8>(order + <usize>place)) << 2)) >> 16;
}

function runExtraCount(symbol: u32): u32 {
  return symbol < REPEAT_PREVIOUS ? 0 : symbol == REPEAT_PREVIOUS ? 2 : symbol == REPEAT_ZERO ? 3 : 7;
}

/** Bits of the block's head after its first three. */
export function codeLengthBits(): u32 {
  let bits: u32 = 14 + 3 * sentRunLengths + encodedBits(runFrequencies, runCode, RUN_SYMBOLS);
  for (let symbol = REPEAT_PREVIOUS; symbol <= REPEAT_ZERO_LONG; symbol++) {
    bits += load<u32>(runFrequencies + ((<usize>symbol) << 2)) * runExtraCount(symbol);
  }
  return bits;
}

export function writeCodeLengths(literals: i32, distances: i32): void {
  writeBits((<u64>(literals - 257)) | ((<u64>(distances - 1)) << 5) | ((<u64>(sentRunLengths - 4)) << 10), 14);
  for (let place: i32 = 0; place < sentRunLengths; place++) writeBits(runLengthInOrder(place), 3);
  for (let run: i32 = 0; run < runCount; run++) {
    const entry = <u32>load<u16>(runs + ((<usize>run) << 1));
    const symbol = entry & 255;
    const code = load<u32>(runCode + ((<usize>symbol) << 2));
    const codeLength = code >> 16;
    writeBits((<u64>(code & 0xffff)) | ((<u64>(entry >> 8)) << codeLength), codeLength + runExtraCount(symbol));
  }
}
