import { toByteString } from "../src/base/index.js";
import type { FileEntry } from "../src/oci/index.js";
import { GoGzipEncoder, writeLayerTar } from "../src/oci/index.js";
import { compileGoGzip } from "./go-gzip.js";
import { random } from "./random.js";

const megabyte = 1e6;
const fileSize = 10_240;
const vocabulary = makeVocabulary(4000);

function makeVocabulary(count: number): readonly string[] {
  const source = random(1);
  const letters = "etaoinshrdlucmfwypvbgkqjxz";
  const letter = (): string => letters[Math.min(source.below(26), source.below(26))] ?? "";
  return Array.from({ length: count }, () => Array.from({ length: 2 + source.below(9) }, letter).join(""));
}

/** One input, compressed by both on one core. Rates are megabytes of input in a second of processor time. */
export interface GzipBenchRow {
  readonly input: string;
  readonly ours: number;
  readonly go: number;
  /** Ours over Go's: at least 0.8 is wanted. */
  readonly ratio: number;
}

/** Bytes that nothing compresses, the same for the same seed. */
export function randomBytes(size: number, seed: number): Buffer {
  const source = random(seed);
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = source.below(256);
  return bytes;
}

/** Text of made-up words, some of them much more frequent than others, in sentences and lines. */
export function words(size: number, seed: number): Buffer {
  const source = random(seed);
  const rank = (): number => source.below(vocabulary.length);
  const parts: string[] = [];
  for (let length = 0; length < size;) {
    const word = vocabulary[Math.min(rank(), rank(), rank())] ?? "";
    const end = source.below(12) === 0 ? ".\n" : " ";
    parts.push(word, end);
    length += word.length + end.length;
  }
  return Buffer.from(parts.join("").slice(0, size));
}

/** The tar of files of 10 KB, every other one of words. */
function mixedTar(size: number): Buffer {
  const entries = Array.from({ length: size / fileSize }, (_, i): FileEntry => {
    const data = i % 2 === 0 ? randomBytes(fileSize, i) : words(fileSize, i);
    const place = {
      path: toByteString(`file-${i}`),
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 1,
      mtimeNanoseconds: 0,
    };
    return { ...place, type: "file", size: fileSize, content: { kind: "bytes", data } };
  });
  const parts: Buffer[] = [];
  const noFiles = () => {
    throw new Error("every content is in memory");
  };
  const files = { openSync: noFiles, readSync: noFiles, closeSync: noFiles };
  writeLayerTar(entries, { files, clamp: "none" }, (chunk) => parts.push(Buffer.from(chunk)));
  return Buffer.concat(parts);
}

function measureOurs(data: Uint8Array): number {
  const before = process.cpuUsage();
  const encoder = new GoGzipEncoder(() => undefined);
  encoder.write(data);
  encoder.finish();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

/**
 * Compresses the same inputs (fixed seeds) with our encoder and with the machine's Go, in turns, and takes the best of
 * each. Processor time, so that a busy machine disturbs it little.
 * @returns undefined where there is no Go.
 */
export function benchGzip(inputSize = 16 * megabyte, rounds = 5): readonly GzipBenchRow[] | undefined {
  const go = compileGoGzip();
  if (go === undefined) return undefined;
  const inputs = [
    { input: "tar of 10 KB files, half random, half words", data: mixedTar(inputSize) },
    { input: "words", data: words(inputSize, 1) },
    { input: "random bytes", data: randomBytes(inputSize, 1) },
  ];
  const rows = inputs.map(({ input, data }) => {
    let ours = Infinity;
    let theirs = Infinity;
    for (let round = 0; round < rounds; round++) {
      ours = Math.min(ours, measureOurs(data));
      theirs = Math.min(theirs, go.measure(data));
    }
    const rate = (seconds: number): number => data.length / megabyte / seconds;
    return { input, ours: rate(ours), go: rate(theirs), ratio: theirs / ours };
  });
  go.close();
  return rows;
}

/** The rows as a table for people. */
export function renderGzipBench(rows: readonly GzipBenchRow[]): string {
  const lines = rows.map(
    ({ input, ours, go, ratio }) =>
      `${input}: ours ${ours.toFixed(1)} MB/s, Go ${go.toFixed(1)} MB/s, ratio ${ratio.toFixed(2)}`,
  );
  return `${lines.join("\n")}\n`;
}
