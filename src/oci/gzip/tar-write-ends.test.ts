import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { toByteString } from "../../base/index.js";
import type { LayerEntry } from "../layer/index.js";
import { encodeTarHeader } from "../layer/index.js";
import { TarWriteEnds } from "./tar-write-ends.js";

function endsOf(tar: Uint8Array, cuts: readonly number[] = []): number[] {
  const follower = new TarWriteEnds();
  const ends: number[] = [];
  let start = 0;
  for (const cut of [...cuts, tar.length]) {
    follower.push(tar.subarray(start, cut), (end) => ends.push(start + end));
    start = cut;
  }
  return ends;
}

function member(path: string, size: number, more: Partial<LayerEntry> = {}): Buffer {
  const data = Buffer.alloc(size, "x");
  const place = { path: toByteString(path), mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1, mtimeNanoseconds: 0 };
  const entry = { ...place, type: "file", size, content: { kind: "bytes", data }, ...more } as LayerEntry;
  const padding = Buffer.alloc((512 - (size % 512)) % 512);
  return Buffer.concat([encodeTarHeader(entry, { clamp: "none" }), data, padding]);
}

/** A header block by hand, with any size and flag. */
function header(flag: string, size: string): Buffer {
  const block = Buffer.alloc(512);
  block.write("name");
  block.write(size, 124, "latin1");
  block.fill(" ", 148, 156);
  block.write(flag, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

describe("where Go's tar writer ended its writes (GZ-7)", () => {
  it("is after contents that are no multiple of 512", () => {
    const tar = Buffer.concat([
      member("a", 100),
      member("b", 512),
      member("c", 0),
      member("d", 513),
      Buffer.alloc(1024),
    ]);
    expect(endsOf(tar)).toEqual([612, 1024 + 1024 + 512 + 512 + 513]);
  });

  it("is after PAX records too", () => {
    const long = member("é".repeat(20), 10);
    const records = Number.parseInt(long.toString("latin1", 124, 135), 8);
    expect(endsOf(long)).toEqual([512 + records, 1536 + 10]);
  });

  it("takes the size of a PAX record over that of the header, for one member", () => {
    const record = Buffer.from("12 size=600\n");
    const tar = Buffer.concat([
      ...[header("x", "00000000014"), record, Buffer.alloc(500)],
      ...[header("0", "00000000000"), Buffer.alloc(1024)],
      ...[header("0", "00000000007"), Buffer.alloc(512)],
    ]);
    expect(endsOf(tar)).toEqual([524, 1536 + 600, 2560 + 512 + 7]);
  });

  it("sees no data after links, devices and folders", () => {
    for (const flag of "123456") {
      expect(endsOf(Buffer.concat([header(flag, "00000000007"), member("a", 1)]))).toEqual([512 + 513]);
    }
  });

  it("is the same however the tar is cut", () => {
    const tar = Buffer.concat([member("a", 700), member("é".repeat(90), 10), member("b", 3), Buffer.alloc(1024)]);
    fc.assert(
      fc.property(fc.array(fc.nat(tar.length), { maxLength: 12 }), (cuts) => {
        expect(
          endsOf(
            tar,
            cuts.sort((a, b) => a - b),
          ),
        ).toEqual(endsOf(tar));
      }),
    );
  });
});
