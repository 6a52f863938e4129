import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { randomBytes, words } from "../../../tools/bench-gzip.js";
import { toByteString } from "../../base/index.js";
import type { FileEntry } from "../layer/index.js";
import { writeLayerTar } from "../layer/index.js";
import { GoGzipEncoder, LayerGzipEncoder, compareWithCanonicalGzip, isCanonicalGzip } from "./index.js";

const window = 32_768;

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function compress(Encoder: typeof GoGzipEncoder | typeof LayerGzipEncoder, data: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  const encoder = new Encoder((bytes) => parts.push(Buffer.from(bytes)));
  encoder.write(data);
  encoder.finish();
  return Buffer.concat(parts);
}

// Made with Go 1.19.8 (tools/go-gzip.ts). The second is also the empty layer of every BuildKit with a Go up to 1.26.
const known = [
  ["nothing", Buffer.alloc(0), 23, "30e6fa98fb48c2b132824d1ac5e2243c0be9e9082ff32598d34d7687ca7f6c7f"],
  ["1024 zeros", Buffer.alloc(1024), 32, "4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1"],
  ["abc", Buffer.from("abc"), 27, "7ec07e29b9e0f7d28475ef083be548d5a88ff7f35f8da7b6be1569e4b17e5e96"],
  ["words", words(300_000, 7), 118_311, "282f949bc22307ff3f3eb84db068073de8becd19dd7c680a4562723dea24d36d"],
  ["noise", randomBytes(100_000, 7), 100_058, "1b9c46b8edaafd102368e9b5100efda69b0c13c57ccbb965c8a57d46ebb28a83"],
  [
    "a pattern",
    Buffer.alloc(200_000, "abcabcabd"),
    434,
    "ccd49ca05c9f6fa889e80efad5c6271c6a7eb102f386f241b4118e26d77c260a",
  ],
] as const;

describe("known streams of Go", () => {
  it.each(known)("%s", (_name, data, size, digest) => {
    const stream = compress(GoGzipEncoder, data);
    expect(stream.length).toBe(size);
    expect(sha256(stream)).toBe(digest);
  });
});

/** The bytes of a linear congruential generator, of which a known answer was made: part of its recipe. */
function congruential(seed: number): (shift: number) => number {
  let state = seed;
  return (shift) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> shift;
  };
}

function layerTar(files: readonly { readonly path: string; readonly data: Buffer }[]): Buffer {
  const entries = files.map(({ path, data }): FileEntry => ({
    ...{ type: "file", path: toByteString(path), mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1, mtimeNanoseconds: 0 },
    ...{ size: data.length, content: { kind: "bytes", data } },
  }));
  const parts: Buffer[] = [];
  const noFiles = (): never => {
    throw new Error("every content is in memory");
  };
  const reads = { openSync: noFiles, readSync: noFiles, closeSync: noFiles };
  writeLayerTar(entries, { files: reads, clamp: "none" }, (chunk) => parts.push(Buffer.from(chunk)));
  return Buffer.concat(parts);
}

/** One file whose end lies one byte before a window's, with a match that only the window before its slide has. */
function oneFile(): Buffer {
  const next = congruential(7);
  const data = Buffer.alloc(65_023);
  for (let i = 0; i < data.length; i++) data[i] = next(24);
  data.copy(data, 65_274 - 512, 65_274 - 512 - 32_700, 65_274 - 512 - 32_700 + 16);
  return layerTar([{ path: "f", data }]);
}

/** 120 files, one in each window, every one with such a match and such an end; every third has a PAX header. */
function manyFiles(): Buffer {
  const source = congruential(11);
  const next = (): number => source(8);
  const distant = Buffer.from(Array.from({ length: 20 }, () => next() >> 8));
  const files = Array.from({ length: 120 }, (_, i) => {
    const pax = i % 3 === 0;
    const path = `f${String(i).padStart(5, "0")}${pax ? "é".repeat(1 + (next() % 20)) : ""}`;
    const end = 32_527 + (next() % (window - 32_527));
    const data = Buffer.from(Array.from({ length: end }, () => next() >> 8));
    const length = 20 + (next() % 180);
    data.copy(data, 32_506 - length, 32_506 - length - 2000, 32_506 - 2000);
    data[32_506 - 2000] = (data[32_506 - 2000] ?? 0) ^ 1;
    distant.copy(data, 32_506);
    return { path, data: data.subarray(pax ? 1536 : 512) };
  });
  return layerTar(files);
}

// Made with dockerd 26.1.5 (BuildKit 0.13, compiled with Go 1.24.4) as test/known-answers/image/README.md says, from
// `FROM scratch` and `COPY f /f` or `COPY f* /` of these files.
describe("layers of BuildKit whose streams depend on where its tar writer ended its writes (GZ-7)", () => {
  it.each([
    ["one file", oneFile(), "4f6f3cd6c0997b816a2368977f69576f10638675c6f8a0d9cdf0cea79b0c93d4"],
    ["many files", manyFiles(), "08457c2faf05692cc53ab9ed79ebb4dd0ec78f1f4f754dd2c7f44a5fcadf8891"],
  ])("%s", (_name, tar, digest) => {
    expect(sha256(compress(LayerGzipEncoder, tar))).toBe(digest);
    expect(sha256(compress(GoGzipEncoder, tar))).not.toBe(digest);
  });

  it("whatever the chunks are in which the tar comes", () => {
    const tar = oneFile();
    const parts: Buffer[] = [];
    const encoder = new LayerGzipEncoder((bytes) => parts.push(Buffer.from(bytes)));
    for (let at = 0; at < tar.length; at += 7) encoder.write(tar.subarray(at, at + 7));
    encoder.finish();
    expect(Buffer.concat(parts).equals(compress(LayerGzipEncoder, tar))).toBe(true);
  });
});

describe("streams of other compressors are recognised (GZ-15)", () => {
  const header = Buffer.from("1f8b08000000000000ff", "hex");
  const emptyTrailer = Buffer.alloc(8);
  /** What Go 1.27 makes of nothing: 20 bytes, a single empty block, without the mark of a closed stream. */
  const emptyOfGo127 = Buffer.concat([header, Buffer.from("0300", "hex"), emptyTrailer]);

  it("Go 1.27's", () => {
    expect(emptyOfGo127.length).toBe(20);
    expect(compareWithCanonicalGzip(emptyOfGo127, [])).toEqual({ canonical: false, offset: 10 });
  });

  it("zlib's, also with the canonical header", () => {
    for (const data of [Buffer.alloc(1024), words(100_000, 1), randomBytes(100_000, 1)]) {
      const stream = gzipSync(data);
      stream[9] = 0xff;
      expect(isCanonicalGzip(stream, data)).toBe(false);
    }
    const zeros = gzipSync(Buffer.alloc(1024));
    // The size of Go 1.27's for the empty layer, too.
    expect(zeros.length).toBe(29);
  });

  it("one that is cut, goes on, has another header or another content", () => {
    const data = words(100_000, 1);
    const stream = compress(GoGzipEncoder, data);
    expect(isCanonicalGzip(stream, data)).toBe(true);
    expect(compareWithCanonicalGzip(stream.subarray(0, -1), [data])).toEqual({
      canonical: false,
      offset: stream.length - 1,
    });
    const longer = Buffer.concat([stream, Buffer.alloc(1)]);
    expect(compareWithCanonicalGzip(longer, [data])).toEqual({ canonical: false, offset: stream.length });
    const named = Buffer.from(stream);
    named[9] = 3;
    expect(compareWithCanonicalGzip(named, [data])).toEqual({ canonical: false, offset: 9 });
    expect(isCanonicalGzip(stream, data.subarray(1))).toBe(false);
    expect(isCanonicalGzip(Buffer.alloc(0), data)).toBe(false);
  });
});
