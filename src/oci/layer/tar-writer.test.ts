import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { toByteString } from "../../base/index.js";
import type { Content, FileEntry, LayerEntry, LayerTarOptions } from "./index.js";
import { createTarIndexer, encodeTarHeader, indexTar, writeLayerTar } from "./index.js";

let scratch = "";
beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "stagewright-writer-"));
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

function entryOf(content: Content, size: number, path = "f"): FileEntry {
  return { type: "file", path, mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 7, mtimeNanoseconds: 0, size, content };
}

function stored(name: string, data: Uint8Array): Content {
  const path = join(scratch, name);
  fs.writeFileSync(path, data);
  return { kind: "file", path: toByteString(path), offset: 0 };
}

function write(entries: readonly LayerEntry[], more: Partial<LayerTarOptions> = {}): Buffer {
  const chunks: Buffer[] = [];
  const options = { files: fs, clamp: { epochSeconds: 1 }, ...more };
  const size = writeLayerTar(entries, options, (chunk) => chunks.push(Buffer.from(chunk)));
  const tar = Buffer.concat(chunks);
  expect(tar.length).toBe(size);
  return tar;
}

describe("writeLayerTar", () => {
  it("writes the empty layer as two zero blocks (IM-28)", () => {
    const tar = write([]);
    expect(createHash("sha256").update(tar).digest("hex")).toBe(
      "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    );
  });

  it("writes one small file as 2048 bytes", () => {
    const tar = write([entryOf({ kind: "bytes", data: Buffer.from("Hello, world\n\n") }, 14, "hello.txt")]);
    expect(tar.length).toBe(2048);
    expect(tar.toString("latin1", 0, 157)).toBe(
      `hello.txt${"\0".repeat(91)}0000644\x000000000\x000000000\x0000000000016\x0000000000001\x00011047\x00 0`,
    );
    expect(tar.toString("latin1", 257, 345)).toBe(`ustar\x0000${"\0".repeat(64)}0000000\x000000000\0`);
  });

  it.each([0, 1, 511, 512, 513, (1 << 20) - 512, (1 << 20) - 511, 1 << 20, 2_500_000])(
    "holds a file of %d bytes",
    (size) => {
      const data = Buffer.alloc(size, "0123456789abcdef!");
      const content = stored(`sized-${size}`, data);
      const offsets: number[] = [];
      const entries = [entryOf(content, size, "a"), entryOf({ kind: "bytes", data }, size, "b")];
      const tar = write(entries, { onContent: (_entry, offset) => offsets.push(offset) });
      expect(offsets.map((offset) => tar.subarray(offset, offset + size).equals(data))).toEqual([true, true]);
      expect(tar.length).toBe(1024 + 2 * (512 + Math.ceil(size / 512) * 512));
    },
  );

  it("reads contents from within another file", () => {
    const content = { ...stored("joined", Buffer.from("onetwothree")), offset: 3 };
    const tar = write([entryOf(content, 3)]);
    expect(tar.toString("latin1", 512, 516)).toBe("two\0");
  });

  it.each([
    ["shorter", 10, 5],
    ["longer", 5, 10],
    ["no longer empty", 0, 1],
    ["longer by one byte at the end of the buffer", (1 << 20) - 512, (1 << 20) - 511],
  ])("refuses a file that is %s", (_name, stated, found) => {
    const content = stored("changed", Buffer.alloc(found));
    expect(() => write([entryOf(content, stated)])).toThrow(
      expect.objectContaining({ kind: "rejected", code: "content-changed", subject: "f" }),
    );
  });

  it("refuses a slice that ends too early", () => {
    const content = { ...stored("slice", Buffer.alloc(10)), offset: 8 };
    expect(() => write([entryOf(content, 3)])).toThrow(expect.objectContaining({ code: "content-changed" }));
  });

  it("says that a file cannot be read, and leaves nothing open", () => {
    let open = 0;
    const files: LayerTarOptions["files"] = {
      openSync: (...args) => {
        const fd = fs.openSync(...args);
        open++;
        return fd;
      },
      closeSync: (fd) => (open--, fs.closeSync(fd)),
      readSync: fs.readSync,
    };
    const missing: Content = { kind: "file", path: join(scratch, "missing"), offset: 0 };
    expect(() => write([entryOf(missing, 1)], { files })).toThrow(
      expect.objectContaining({ kind: "unavailable", code: "content-unreadable" }),
    );
    expect(() => write([entryOf(stored("x", Buffer.alloc(2)), 1)], { files })).toThrow();
    expect(open).toBe(0);
  });

  it("opens an archive once for all its members", () => {
    let opened = 0;
    const files = { ...fs, openSync: (...args: Parameters<typeof fs.openSync>) => (opened++, fs.openSync(...args)) };
    const content = stored("archive", Buffer.alloc(100));
    const entries = Array.from({ length: 50 }, (_, i) => entryOf({ ...content, offset: i + 1 } as Content, 1, `f${i}`));
    write(entries, { files });
    expect(opened).toBe(1);
  });

  it("takes paths that are no UTF-8", () => {
    const path = Buffer.concat([Buffer.from(join(scratch, "b")), Buffer.from([0xff])]);
    fs.writeFileSync(path, "x");
    expect(write([entryOf({ kind: "file", path: path.toString("latin1"), offset: 0 }, 1)])[512]).toBe(0x78);
  });

  it("keeps times to the nanosecond where nothing is clamped", () => {
    const entry = {
      ...entryOf({ kind: "bytes", data: Buffer.alloc(0) }, 0),
      mtimeSeconds: -2,
      mtimeNanoseconds: 250_000_000,
    };
    const tar = write([entry], { clamp: "none" });
    const indexer = createTarIndexer("layer", { contentPath: "t", subject: "t" });
    const { entries } = indexTar((buffer, offset) => tar.copy(buffer, 0, offset), indexer);
    expect(entries).toMatchObject([{ mtimeSeconds: -2, mtimeNanoseconds: 250_000_000 }]);
  });
});

describe("encodeTarHeader", () => {
  const entry = entryOf({ kind: "bytes", data: Buffer.alloc(0) }, 0);
  const clamp = { epochSeconds: 1 };

  it("writes security.capability as a PAX record, before the others by name (IM-25)", () => {
    const header = encodeTarHeader(
      { ...entry, uid: 3_000_000, xattrs: { "security.capability": "\x01\xff" } },
      { clamp },
    );
    const records = Buffer.from(header).toString("latin1", 512, 1024).replace(/\0+$/, "");
    expect(records).toBe("39 SCHILY.xattr.security.capability=\x01\xff\n15 uid=3000000\n");
  });

  it("says a size over 8 GiB in PAX (IM-24)", () => {
    const size = 2 ** 33;
    const header = Buffer.from(encodeTarHeader({ ...entry, size }, { clamp }));
    expect(header.toString("latin1", 512, 532)).toBe(`19 size=${size}\n`.padEnd(20, "\0"));
    expect(header.toString("latin1", 1024 + 124, 1024 + 136)).toBe("00000000000\0");
  });

  it.each([{ mode: 0o10_000_000 }, { mode: -1 }, { uid: -1 }, { gid: 1.5 }, { mtimeSeconds: NaN }, { size: 2 ** 60 }])(
    "refuses %j",
    (more) => {
      expect(() => encodeTarHeader({ ...entry, ...more }, { clamp })).toThrow(
        expect.objectContaining({ code: "bad-tar-entry" }),
      );
    },
  );
});
