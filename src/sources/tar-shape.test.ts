import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { beginsWithTarEntry, reachesTarEnd, type ReadAt } from "./tar-shape.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/tar-shape-`);
  writeFileSync(`${folder}/${"long".repeat(50)}`, "x".repeat(1000));
  writeFileSync(`${folder}/small`, "y");
});
afterAll(() => rmSync(folder, { recursive: true }));

function reader(data: Buffer): ReadAt {
  return (buffer, position) => data.copy(buffer, 0, Math.min(position, data.length));
}

describe.each(["gnu", "pax", "oldgnu", "posix"])("a tar of the format %s", (format) => {
  const make = (): Buffer => execFileSync("tar", ["c", `--format=${format}`, "-C", folder, "."]);

  it("is one from its first header, and reaches its end exactly with the second zero block", () => {
    const tar = make();
    expect(beginsWithTarEntry(reader(tar))).toBe(true);
    expect(reachesTarEnd(reader(tar))).toBe(true);
    let last = tar.length;
    while (tar[last - 1] === 0) last -= 1;
    const end = Math.ceil(last / 512) * 512;
    expect(reachesTarEnd(reader(tar.subarray(0, end + 1024)))).toBe(true);
    expect(reachesTarEnd(reader(tar.subarray(0, end + 1023)))).toBe(false);
    expect(reachesTarEnd(reader(tar.subarray(0, end)))).toBe(false);
  });

  it("is none when the checksum is wrong", () => {
    const tar = make();
    tar[0] = 0x7a;
    expect(beginsWithTarEntry(reader(tar))).toBe(false);
  });
});

it("takes the size of a large file from its PAX record", () => {
  const header = execFileSync("python3", [
    "-c",
    `import tarfile, sys
i = tarfile.TarInfo("big"); i.size = 2**40
sys.stdout.buffer.write(i.tobuf(format=tarfile.PAX_FORMAT))`,
  ]);
  const zeros = Buffer.alloc(512);
  const readAt: ReadAt = (buffer, position) => {
    if (position < header.length) return header.copy(buffer, 0, position);
    return position <= header.length + 2 ** 40 + 512 ? zeros.copy(buffer) : 0;
  };
  expect(reachesTarEnd(readAt)).toBe(true);
});

it("decides on any bytes without an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const readAt = reader(Buffer.from(bytes));
      expect(beginsWithTarEntry(readAt)).toBe(false);
      expect(reachesTarEnd(readAt)).toBe(bytes.length >= 1024 && bytes.subarray(0, 1024).every((byte) => byte === 0));
    }),
  );
});
