import * as fc from "fast-check";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { LayerGzipEncoder, isCanonicalGzip } from "../../src/oci/index.js";

function compress(data: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  const encoder = new LayerGzipEncoder((bytes) => parts.push(Buffer.from(bytes)));
  encoder.write(data);
  encoder.finish();
  return Buffer.concat(parts);
}

/** A tar header with a right checksum and anything in its size field. */
function header(flag: string, size: Buffer): Buffer {
  const block = Buffer.alloc(512);
  size.copy(block, 124);
  block.fill(" ", 148, 156);
  block.write(flag, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

describe("what is compressed need not be a tar", () => {
  it("takes any bytes and loses none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
        expect(gunzipSync(compress(data)).equals(data)).toBe(true);
      }),
    );
  });

  it.each([
    ["a negative size", header("0", Buffer.from("80ffffffffffffffffffffff", "hex").fill(0xff))],
    ["a size beyond 2^53", header("0", Buffer.from("8000000000ffffffffffffff", "hex"))],
    ["a size that is no number", header("0", Buffer.from("zzzzzzzzzzz\0"))],
    ["a PAX header of 8 GiB", header("x", Buffer.from("77777777777\0"))],
    ["PAX records that are none", Buffer.concat([header("x", Buffer.from("00000000010\0")), Buffer.alloc(512, "9")])],
    ["a file without its content", header("0", Buffer.from("77777777777\0"))],
  ])("follows no further than it can: %s", (_name, head) => {
    const data = Buffer.concat([head, Buffer.alloc(200_000, "padding ")]);
    expect(gunzipSync(compress(data)).equals(data)).toBe(true);
  });

  it("answers soon for a PAX header that takes the whole limit", () => {
    const size = Buffer.from(`${(1 << 20).toString(8).padStart(11, "0")}\0`);
    const data = Buffer.concat([header("x", size), Buffer.alloc(1 << 20, "1")]);
    const started = performance.now();
    expect(isCanonicalGzip(compress(data), data)).toBe(true);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("takes the input on which matching is slowest at a bearable rate", () => {
    // Every position has 128 candidates that agree with it for long, and none that ends the search.
    const data = Buffer.alloc(2 << 20);
    for (let i = 0; i < data.length; i++) data[i] = i % 126 === 0 ? i >> 9 : 0x61;
    const started = performance.now();
    expect(gunzipSync(compress(data)).equals(data)).toBe(true);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
