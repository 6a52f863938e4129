import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { GoGzip } from "../../../tools/go-gzip.js";
import { compileGoGzip } from "../../../tools/go-gzip.js";
import { randomBytes, words } from "../../../tools/bench-gzip.js";
import { GoGzipEncoder, isCanonicalGzip } from "./index.js";

/** Compresses `data` in writes that end at `ends`, each said to be a write's end of the canonical producer. */
function compress(data: Uint8Array, ends: readonly number[] = []): Buffer {
  return compressCut(data, ends, true);
}

function compressCut(data: Uint8Array, cuts: readonly number[], areEnds: boolean): Buffer {
  const parts: Buffer[] = [];
  const encoder = new GoGzipEncoder((bytes) => parts.push(Buffer.from(bytes)));
  let start = 0;
  for (const cut of cuts) {
    encoder.write(data.subarray(start, cut));
    if (areEnds) encoder.endWrite();
    start = cut;
  }
  encoder.write(data.subarray(start));
  encoder.finish();
  return Buffer.concat(parts);
}

/** Pieces that repeat each other at distances up to and beyond the window, between pieces that repeat nothing. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant("fresh" as const), length: fc.nat(3000), seed: fc.nat() }),
      fc.record({
        kind: fc.constant("copy" as const),
        length: fc.nat(700),
        distance: fc.integer({ min: 1, max: 33_000 }),
      }),
      fc.record({ kind: fc.constant("words" as const), length: fc.nat(16_000), seed: fc.nat() }),
    ),
    { maxLength: 24 },
  )
  .map((pieces) => {
    const data = Buffer.alloc(24 * 16_000);
    let end = 0;
    for (const piece of pieces) {
      if (piece.kind === "copy") {
        for (let i = 0; i < piece.length; i++, end++) data[end] = data[Math.max(end - piece.distance, 0)] ?? 0;
      } else {
        const fresh = piece.kind === "fresh" ? randomBytes(piece.length, piece.seed) : words(piece.length, piece.seed);
        end += fresh.copy(data, end);
      }
    }
    return data.subarray(0, end);
  });

const small = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.array(fc.integer({ min: 0x61, max: 0x63 }), { maxLength: 3000 }).map((letters) => Uint8Array.from(letters)),
);

/** Every size at which something changes: blocks of 16384 tokens, the window, the slide, stored blocks, the next slides. */
const borders = [0, 1, 2, 3, 4, 5, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_273, 65_274, 65_275].concat([
  65_534, 65_535, 65_536, 65_537, 81_920, 98_041, 98_042, 98_043, 98_304, 131_072, 131_073,
]);

/** Where a window that slides can see the end of a write, for the first windows (GZ-6). */
const visibleEnd = fc
  .record({ slide: fc.integer({ min: 1, max: 3 }), before: fc.integer({ min: 0, max: 300 }) })
  .map(({ slide, before }) => (slide + 1) * 32_768 - before);

describe("the encoder by itself", () => {
  it("gives what gunzip unpacks, and another stream than zlib (GZ-1)", () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, small), (data) => {
        expect(gunzipSync(compress(data)).equals(data)).toBe(true);
      }),
      { numRuns: 20 },
    );
    const text = words(100_000, 1);
    const zlib = gzipSync(text);
    zlib[9] = 0xff;
    expect(compress(text).equals(zlib)).toBe(false);
  });

  it("does not see how its input is cut", () => {
    fc.assert(
      fc.property(repetitive, fc.array(fc.nat(120_000), { maxLength: 30 }), (data, cuts) => {
        const inside = cuts.filter((cut) => cut <= data.length).sort((a, b) => a - b);
        expect(compressCut(data, inside, false).equals(compress(data))).toBe(true);
      }),
      { numRuns: 20 },
    );
    const bytewise = words(40_000, 5);
    expect(compressCut(bytewise, Array.from(bytewise.keys()), false).equals(compress(bytewise))).toBe(true);
  });

  it("begins another stream after the end of one", () => {
    const parts: Buffer[] = [];
    const encoder = new GoGzipEncoder((bytes) => parts.push(Buffer.from(bytes)));
    const first = words(90_000, 1);
    const second = words(90_000, 2);
    encoder.write(first);
    encoder.finish();
    expect(Buffer.concat(parts.splice(0)).equals(compress(first))).toBe(true);
    encoder.write(second);
    encoder.finish();
    expect(Buffer.concat(parts).equals(compress(second))).toBe(true);
  });

  it("passes its output on as it grows", () => {
    let largest = 0;
    const encoder = new GoGzipEncoder((bytes) => (largest = Math.max(largest, bytes.length)));
    encoder.write(randomBytes(3 << 20, 1));
    encoder.finish();
    expect(largest).toBeLessThan(512 << 10);
  });
});

const go = compileGoGzip();
if (go === undefined && process.env["CI"] !== "true") {
  console.warn("SKIPPED: no `go` here, so the compressor is not compared with Go's (apt-get install golang-go)");
}

describe.skipIf(go === undefined && process.env["CI"] !== "true")("the encoder against the machine's Go", () => {
  let reference: GoGzip;
  beforeAll(() => {
    if (go === undefined) throw new Error("CI has no `go`: install golang-go, the compressor must be compared with it");
    reference = go;
    console.info(`reference: ${go.version}`);
  });
  afterAll(() => go?.close());

  function expectSame(data: Uint8Array, ends: readonly number[] = []): void {
    const expected = reference.compress(data, ends);
    const same = compress(data, ends).equals(expected);
    // A Go with another encoder is not our reference, and is seen not to be.
    if (reference.canonical) expect(same, `${reference.version}, ${data.length} bytes`).toBe(true);
    else expect(gunzipSync(expected).equals(data)).toBe(true);
  }

  it("recognises whether this Go is one that writes the canonical stream", () => {
    const zeros = Buffer.alloc(1024);
    expect(isCanonicalGzip(reference.compress(zeros), zeros)).toBe(reference.canonical);
  });

  it.each(["random", "words", "zeros", "pattern"])("agrees at every border: %s", (kind) => {
    for (const size of borders) {
      const data =
        kind === "random"
          ? randomBytes(size, size)
          : kind === "words"
            ? words(size, size)
            : kind === "zeros"
              ? Buffer.alloc(size)
              : Buffer.alloc(size, "abcabcabd");
      expectSame(data);
    }
  });

  it("agrees on megabytes: text, noise, a mixture", () => {
    expectSame(words(1_500_000, 3));
    expectSame(randomBytes(1_000_000, 3));
    expectSame(Buffer.concat([words(500_000, 4), randomBytes(500_000, 4), Buffer.alloc(500_000), words(500_000, 4)]));
  });

  it("agrees on skewed alphabets, whose codes reach the longest lengths (GZ-9)", () => {
    // Frequencies that grow like Fibonacci's numbers make the deepest trees.
    const counts = [1, 1];
    for (let i = 2; i < 22; i++) counts.push((counts[i - 1] ?? 0) + (counts[i - 2] ?? 0));
    const letters = counts.flatMap((count, symbol) => Array.from({ length: Math.min(count, 9000) }, () => symbol * 5));
    const order = randomBytes(letters.length * 4, 1);
    const shuffled = letters
      .map((letter, i) => ({ letter, key: order.readUInt32LE(i * 4) }))
      .sort((a, b) => a.key - b.key);
    expectSame(Uint8Array.from(shuffled, ({ letter }) => letter));
  });

  it("agrees on anything", () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, small), (data) => expectSame(data)),
      { numRuns: 30 },
    );
  });

  it("agrees on how the writes end (GZ-6)", () => {
    fc.assert(
      fc.property(repetitive, fc.array(fc.oneof(visibleEnd, fc.nat(200_000)), { maxLength: 6 }), (data, ends) => {
        expectSame(
          data,
          ends.filter((end) => end <= data.length).sort((a, b) => a - b),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("agrees on the rare input whose stream depends on the end of a write (GZ-6)", () => {
    const data = randomBytes(200_000, 1);
    data.copy(data, 65_174, 63_174, 63_274);
    data[63_274] = (data[63_274] ?? 0) ^ 1;
    data.copy(data, 65_274, 32_574, 32_590);
    const whole = compress(data);
    for (const end of [65_436, 65_437, 65_500, 65_535, 65_536]) {
      expectSame(data, [end]);
      expect(compress(data, [end]).equals(whole)).toBe(end === 65_436 || end === 65_536);
    }
  });
});
