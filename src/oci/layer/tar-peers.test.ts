import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import fc from "fast-check";
import tarStream from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { toByteString } from "../../base/index.js";
import type { LayerEntry, NodeEntry } from "./index.js";
import { compareLayerPaths, createTarIndexer, indexTarFile, layerOrder, writeLayerTar } from "./index.js";

let scratch = "";
beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "stagewright-peers-"));
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

function tarOf(entries: readonly LayerEntry[], clamp: { epochSeconds: number } | "none" = "none"): Buffer {
  const chunks: Buffer[] = [];
  writeLayerTar(entries, { files: fs, clamp }, (chunk) => chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9 ._-]{0,20}$/),
  fc.stringMatching(/^[a-z]{60,140}$/),
  fc
    .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
    .map((text) => `u${toByteString(text).replace(/[/\0]/g, "_")}`),
);
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part) => part.slice(0, 250)).join("/"));
const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.nat(2000), fc.integer({ min: 2_097_150, max: 4_294_967_294 })),
  gid: fc.oneof(fc.nat(2000), fc.integer({ min: 2_097_150, max: 4_294_967_294 })),
  mtimeSeconds: fc.oneof(fc.nat(2_000_000_000), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
  mtimeNanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
});
const node: fc.Arbitrary<NodeEntry> = fc.oneof(
  fc.tuple(path, attributes, fc.uint8Array({ maxLength: 1500 })).map(([at, common, data]): NodeEntry => {
    return { ...common, type: "file", path: at, size: data.length, content: { kind: "bytes", data } };
  }),
  fc.tuple(path, attributes).map(([at, common]): NodeEntry => ({ ...common, type: "directory", path: at })),
  fc
    .tuple(path, attributes, fc.stringMatching(/^[a-z/.]{1,150}$/))
    .map(([at, common, target]): NodeEntry => ({ ...common, type: "symlink", path: at, target })),
  fc.tuple(path, attributes, fc.nat(4095), fc.nat(0xfffff)).map(([at, common, major, minor]): NodeEntry => {
    return { ...common, type: "character", path: at, major, minor };
  }),
);

/** Entries in which no path stands twice and none lies behind something that is no folder. */
const tree = fc.array(node, { maxLength: 12 }).map((entries) => {
  const taken: NodeEntry[] = [];
  for (const entry of layerOrder(entries)) {
    const clashes = taken.some(
      (other) => other.path === entry.path || (other.type !== "directory" && entry.path.startsWith(`${other.path}/`)),
    );
    if (!clashes) taken.push(entry);
  }
  return taken;
});

function withoutContent(entries: readonly { readonly type: string }[]): unknown[] {
  return entries.map((entry) => ({ ...entry, content: undefined }));
}

describe("tars that were written", () => {
  it("are read back as the same entries, in pieces of any size", () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 3000 }), (entries, piece) => {
        const tar = tarOf(entries);
        const indexer = createTarIndexer("layer", { contentPath: "tar", subject: "tar" });
        for (let at = 0; at < tar.length; at += piece) indexer.push(tar.subarray(at, at + piece));
        const index = indexer.finish();
        expect(withoutContent(index.entries)).toEqual(withoutContent(entries));
        expect(index.digest).toBe(`sha256:${createHash("sha256").update(tar).digest("hex")}`);
        for (const [at, entry] of index.entries.entries()) {
          const original = entries[at];
          if (entry.type !== "file" || entry.content.kind !== "file" || original?.type !== "file") continue;
          const { offset } = entry.content;
          const data = original.content.kind === "bytes" ? original.content.data : [];
          expect([...tar.subarray(offset, offset + entry.size)]).toEqual([...data]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("are read in the same way as an archive, whatever their order", () => {
    fc.assert(
      fc.property(tree, (entries) => {
        const indexer = createTarIndexer("archive", { contentPath: "tar", subject: "tar" });
        indexer.push(tarOf([...entries].reverse().filter((entry) => entry.type !== "symlink")));
        const expected = entries.filter((entry) => entry.type !== "symlink");
        expect(withoutContent(indexer.finish().entries)).toEqual(withoutContent(expected));
      }),
      { numRuns: 60 },
    );
  });

  it("are read in the same way by tar-stream", async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (entries) => {
        const found: unknown[] = [];
        const extract = tarStream.extract();
        extract.on("entry", (header, stream, next) => {
          // Of the PAX numbers it takes the size alone, and hands the others on as text.
          const pax = new Map<string, unknown>(Object.entries(header.pax ?? {}));
          const [uid, gid] = [Number(pax.get("uid") ?? header.uid), Number(pax.get("gid") ?? header.gid)];
          found.push([header.name.replace(/\/$/, ""), uid, gid, header.mode, header.size ?? 0]);
          stream.on("end", next).resume();
        });
        extract.end(tarOf(entries));
        await finished(extract);
        const expected = entries.map((entry) => {
          const text = Buffer.from(entry.path, "latin1").toString("utf8");
          return [text, entry.uid, entry.gid, entry.mode, entry.type === "file" ? entry.size : 0];
        });
        expect(found).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe("GNU tar", () => {
  const common = { mode: 0o640, uid: 0, gid: 0, mtimeSeconds: 1_000_000_000, mtimeNanoseconds: 500_000_000 };
  const long = `d/${"n".repeat(130)}`;
  const entries: LayerEntry[] = [
    { ...common, type: "directory", path: "d", mode: 0o750 },
    { ...common, type: "file", path: long, size: 3, content: { kind: "bytes", data: Buffer.from("abc") } },
    { ...common, type: "symlink", path: "d/s", mode: 0o777, target: "x".repeat(120) },
    { ...common, type: "hardlink", path: "e", target: long },
  ];

  it("unpacks what was written, to the nanosecond", () => {
    const folder = join(scratch, "unpacked");
    fs.mkdirSync(folder);
    execFileSync("tar", ["-xpf", "-", "-C", folder], { input: tarOf(entries) });
    const status = fs.statSync(join(folder, long), { bigint: true });
    expect([status.mtimeNs, Number(status.mode & 0o7777n), status.nlink]).toEqual([
      1_000_000_000_500_000_000n,
      0o640,
      2n,
    ]);
    expect(fs.readFileSync(join(folder, "e"), "utf8")).toBe("abc");
    expect(fs.readlinkSync(join(folder, "d/s"))).toBe("x".repeat(120));
  });

  it.each(["v7", "oldgnu", "gnu", "ustar", "posix"])("makes archives in the form %s that are read", (format) => {
    const folder = join(scratch, `source-${format}`);
    const deep = format === "v7" ? "d/sub" : `d/${"s".repeat(90)}`;
    fs.mkdirSync(join(folder, deep), { recursive: true });
    fs.writeFileSync(join(folder, deep, "file"), "content");
    fs.linkSync(join(folder, deep, "file"), join(folder, deep, "hard"));
    fs.symlinkSync(format === "oldgnu" || format === "gnu" ? "t".repeat(150) : "target", join(folder, "d/link"));
    const tar = join(scratch, `${format}.tar`);
    const owner = ["v7", "ustar"].includes(format) ? "7" : "3000000";
    execFileSync("tar", [`--format=${format}`, `--owner=u:${owner}`, "--sort=name", "-cf", tar, "-C", folder, "d"]);
    const { entries: read } = indexTarFile(toByteString(tar), fs, "archive");
    expect(read.map((entry) => [entry.path, entry.type, entry.uid])).toEqual(
      [
        ["d", "directory", Number(owner)],
        [deep, "directory", Number(owner)],
        [`${deep}/file`, "file", Number(owner)],
        [`${deep}/hard`, "hardlink", Number(owner)],
        ["d/link", "symlink", Number(owner)],
      ].sort(([a], [b]) => compareLayerPaths(String(a), String(b))),
    );
  });
});
