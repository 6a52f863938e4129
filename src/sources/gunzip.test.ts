import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { gunzip } from "./gunzip.js";

async function decode(input: Uint8Array, pieceSize = 65536): Promise<{ output: Buffer; fault: string | undefined }> {
  const output: Buffer[] = [];
  let at = 0;
  const read = (): Uint8Array => input.subarray(at, (at += pieceSize));
  const fault = await gunzip(read, (piece) => output.push(Buffer.from(piece)), 1000);
  return { output: Buffer.concat(output), fault };
}

describe("gunzip", () => {
  const data = randomBytes(1_000_000);
  const text = Buffer.from("words and words and words\n".repeat(50_000));

  it("decodes one member and many", async () => {
    const one = await decode(gzipSync(data));
    expect(one.fault).toBeUndefined();
    expect(one.output.equals(data)).toBe(true);
    const many = await decode(Buffer.concat([gzipSync(text), gzipSync(""), gzipSync(data)]));
    expect(many.fault).toBeUndefined();
    expect(many.output.equals(Buffer.concat([text, data]))).toBe(true);
  });

  it("takes headers with every optional part", async () => {
    const body = gzipSync("hello").subarray(10);
    const head = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3]);
    const whole = Buffer.concat([head, Buffer.from("name\0comment\0"), Buffer.from([0, 0]), body]);
    expect((await decode(whole, 1)).output.toString()).toBe("hello");
  });

  it.each([
    ["the trailer is missing", (z: Buffer) => z.subarray(0, -8), /too early/],
    ["the trailer is cut", (z: Buffer) => z.subarray(0, -3), /too early/],
    [
      "the checksum is wrong",
      (z: Buffer) => Buffer.from([...z.subarray(0, -8), 9, 9, 9, 9, ...z.subarray(-4)]),
      /checksum/,
    ],
    ["garbage follows", (z: Buffer) => Buffer.concat([z, Buffer.from("garbage garbage")]), /not gzip/],
    ["zeros follow", (z: Buffer) => Buffer.concat([z, Buffer.alloc(100)]), /not gzip/],
  ])("gives every byte and a fault when %s", async (_, spoil, fault) => {
    for (const plain of [data, text]) {
      const found = await decode(spoil(gzipSync(plain.subarray(0, 70_000))));
      expect(found.output.equals(plain.subarray(0, 70_000))).toBe(true);
      expect(found.fault).toMatch(fault);
    }
  });

  it("gives what can be decoded of a stream that is cut", async () => {
    const found = await decode(gzipSync(data).subarray(0, 500_000));
    expect(found.fault).toMatch(/too early/);
    expect(found.output.length).toBeGreaterThan(480_000);
    expect(found.output.equals(data.subarray(0, found.output.length))).toBe(true);
  });

  it("passes on the error of the sink", async () => {
    const read = pieces(gzipSync(data));
    await expect(
      gunzip(
        read,
        () => {
          throw new RangeError("full");
        },
        1,
      ),
    ).rejects.toThrow("full");
  });

  it("never fails otherwise, whatever the bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(100), async (noise, at) => {
        const input = Buffer.concat([gzipSync("abcabcabc"), gzipSync("x".repeat(500))]);
        input.set(noise.subarray(0, Math.max(0, input.length - at)), Math.min(at, input.length));
        await decode(input, 7);
      }),
      { numRuns: 100 },
    );
  });

  function pieces(input: Uint8Array): () => Uint8Array {
    let at = 0;
    return () => input.subarray(at, (at += 1000));
  }
});
