/** Layers in a store: written, found again, marked as used, and never taken for what they are not. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { TestStores } from "../../../../test/support/engine-store.js";
import { file, folder, link, listing, plain, type TreeShape } from "../../../../test/support/engine-tree.js";
import type { Digest, FileSystem } from "../../../base/index.js";
import { emptyTree, type HashedEntry } from "../tree/file-tree.js";
import { diffTrees } from "../tree/tree-diff.js";
import { compressLayer, compressedPath, findCompressed } from "./layer-compressor.js";
import { importLayer } from "./layer-importer.js";
import { LayerStore } from "./layer-store.js";
import { entriesKey, writeLayer } from "./layer-writer.js";

let stores: TestStores;
beforeEach(() => {
  stores = new TestStores();
});
afterEach(() => {
  stores.remove();
});

const layersOf = (files: FileSystem = fs): LayerStore => new LayerStore(stores.open("test", files));
const entriesOf = (shape: TreeShape): HashedEntry[] => diffTrees(emptyTree, folder(shape), () => false);
const sha256 = (data: Uint8Array): Digest => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const shape = {
  d: { f: "text", l: "-> f" },
  b: file("other", { mode: 0o4755, xattrs: { "security.capability": "\x01\xff" } }),
};

describe("a layer", () => {
  it("is found by another process as it was written, with true times (EN-10)", () => {
    const written = writeLayer(layersOf(), entriesOf(shape));
    const found = layersOf().get(written.id);
    expect({ ...found, entries: [] }).toEqual({ ...written, entries: [] });
    expect(found.entries).toEqual(written.entries);
    expect(found.entries.find(({ path }) => path === "d/f")).toMatchObject({
      mtimeSeconds: 1000,
      mtimeNanoseconds: 500,
    });
    const tar = fs.readFileSync(layersOf().tarPath(written.diffId));
    expect(sha256(tar)).toBe(written.diffId);
  });

  it("survives its record, whatever the entries", () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab\xff\n"\\'), minLength: 1, maxLength: 4 });
    const leaf = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."x\0\xff"), maxLength: 5 }).map((text) => file(text)),
      name.map((target) => link(target)),
      fc
        .tuple(fc.nat({ max: 0xfff }), fc.nat({ max: 0xff }))
        .map(([major, minor]) => ({ ...plain, type: "block" as const, major, minor })),
    );
    fc.assert(
      fc.property(fc.dictionary(name, leaf, { maxKeys: 5 }), (children) => {
        const written = writeLayer(layersOf(), entriesOf(children));
        expect(listing(layersOf().tree([written.id])).length).toBe(Object.keys(children).length);
        expect(layersOf().get(written.id).entries).toEqual(written.entries);
      }),
      { numRuns: 30 },
    );
  });

  it("whose content is not what its entry says is not written", () => {
    const layers = layersOf();
    const path = join(stores.folder, "f");
    fs.writeFileSync(path, "abcd");
    const base = { ...plain, path: "f", type: "file" as const, content: { kind: "file" as const, path, offset: 0 } };
    for (const [size, hash] of [
      [4, "0".repeat(64)],
      [3, undefined],
      [5, undefined],
    ] as const) {
      const entry: HashedEntry = { ...base, size, ...(hash === undefined ? {} : { sha256: hash }) };
      expect(() => writeLayer(layers, [entry])).toThrow(expect.objectContaining({ code: "content-changed" }));
    }
    expect(fs.readdirSync(join(layers.store.root, "blobs"))).toEqual([]);
  });

  it("on a full disk is a clear error, and leaves nothing under its name", () => {
    const full: FileSystem = {
      ...fs,
      writeSync: () => {
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      },
    };
    const layers = layersOf(full);
    expect(() => writeLayer(layers, entriesOf(shape))).toThrow(
      expect.objectContaining({ kind: "unavailable", code: "disk-full" }),
    );
    expect(fs.readdirSync(join(layers.store.root, "blobs"))).toEqual([]);
  });

  it("is as if it were not there once its tar or record is gone or changed", () => {
    for (const ruin of [
      (layers: LayerStore, id: string) => fs.rmSync(layers.store.path("layers", `${id}.json`)),
      (layers: LayerStore, id: string) => fs.truncateSync(layers.store.path("layers", `${id}.json`), 20),
      (layers: LayerStore, id: string) => fs.rmSync(layers.tarPath(layers.get(id).diffId)),
    ]) {
      const written = writeLayer(layersOf(), entriesOf(shape));
      ruin(layersOf(), written.id);
      expect(layersOf().find(written.id)).toBeUndefined();
      expect(() => layersOf().get(written.id)).toThrow(expect.objectContaining({ code: "store-damaged" }));
      expect(writeLayer(layersOf(), entriesOf(shape)).id).toBe(written.id);
      expect(layersOf().find(written.id)?.diffId).toBe(written.diffId);
    }
  });

  it("that this process has in memory is gone when its tar goes", () => {
    const layers = layersOf();
    const { id, diffId } = writeLayer(layers, entriesOf(shape));
    fs.rmSync(layers.tarPath(diffId));
    expect(layers.find(id)).toBeUndefined();
  });

  it("seen through an image has the times that an image keeps", () => {
    const layers = layersOf();
    const early = file("e", { mtimeSeconds: -7, mtimeNanoseconds: 9 });
    const { id } = writeLayer(layers, entriesOf({ early, late: "l" }));
    const times = layers
      .asImported(id)
      .entries.map((entry) => (entry.type === "whiteout" ? [] : [entry.mtimeSeconds, entry.mtimeNanoseconds]));
    expect(times).toEqual([
      [-7, 0],
      [1, 0],
    ]);
    expect(layers.asImported(id).diffId).toBe(layers.get(id).diffId);
  });

  it("has the same name for the same entries, and another for any other", () => {
    const keys = [shape, { ...shape, b: "x" }, { ...shape, c: "" }, { d: shape.d }].map((one) =>
      entriesKey(entriesOf(one)),
    );
    expect(new Set(keys).size).toBe(4);
    expect(entriesKey(entriesOf(shape))).toBe(keys[0]);
  });
});

describe("what is used (EN-43)", () => {
  it("is marked once an hour, and only when it is used", () => {
    const layers = layersOf();
    const { id, diffId } = writeLayer(layers, entriesOf(shape));
    const paths = [layers.store.path("layers", `${id}.json`), layers.tarPath(diffId)];
    const old = stores.time / 1000 - 86_400;
    for (const path of paths) fs.utimesSync(path, old, old);
    layers.store.has("layers", `${id}.json`);
    layers.store.readRecord("layers", id);
    expect(paths.map((path) => fs.statSync(path).mtimeMs)).toEqual([old * 1000, old * 1000]);
    layersOf().get(id);
    expect(paths.map((path) => fs.statSync(path).mtimeMs)).toEqual([stores.time, stores.time]);
    const before = stores.time;
    stores.time += 3_000_000;
    layersOf().get(id);
    expect(paths.map((path) => fs.statSync(path).mtimeMs)).toEqual([before, before]);
  });
});

describe("the compressed form", () => {
  it("is proven each time it is asked for, and made anew where it is damaged", () => {
    const layers = layersOf();
    const { diffId } = writeLayer(layers, entriesOf(shape));
    const made = compressLayer(layers, diffId);
    const path = compressedPath(layers, diffId);
    const blob = fs.readFileSync(path);
    expect([made.digest, made.size]).toEqual([sha256(blob), blob.length]);
    expect(sha256(gunzipSync(blob))).toBe(diffId);
    for (const ruin of [
      () => fs.truncateSync(path, 5),
      () => fs.writeFileSync(path, Buffer.from(blob).fill(1, 20, 21)),
      () => fs.rmSync(path),
      () => fs.rmSync(path.replace(/gz$/, "json")),
    ]) {
      ruin();
      expect(compressLayer(layers, diffId)).toEqual(made);
      expect(fs.readFileSync(path)).toEqual(blob);
    }
    expect(findCompressed(layers, diffId)).toEqual(made);
  });

  it("of a tar that was changed is never made; the tar goes", () => {
    const layers = layersOf();
    const { diffId } = writeLayer(layers, entriesOf(shape));
    const tar = layers.tarPath(diffId);
    const data = fs.readFileSync(tar);
    data[600] = (data[600] ?? 0) ^ 1;
    fs.writeFileSync(tar, data);
    expect(() => compressLayer(layers, diffId)).toThrow(
      expect.objectContaining({ kind: "untrusted", code: "store-damaged", subject: tar }),
    );
    expect([fs.existsSync(tar), fs.existsSync(compressedPath(layers, diffId))]).toEqual([false, false]);
  });
});

describe("a layer of somebody else's image", () => {
  function blobOf(shapeOfLayer: TreeShape): { readonly path: string; readonly blob: Buffer; readonly diffId: Digest } {
    const other = new TestStores();
    const layers = new LayerStore(other.open("other"));
    const { diffId } = writeLayer(layers, entriesOf(shapeOfLayer));
    const blob = gzipSync(fs.readFileSync(layers.tarPath(diffId)));
    other.remove();
    const path = join(stores.folder, "blob");
    fs.writeFileSync(path, blob);
    return { path, blob, diffId };
  }

  it("is taken in when digest and diff id hold", async () => {
    const { path, blob, diffId } = blobOf(shape);
    const layers = layersOf();
    const layer = await importLayer(layers, { path, digest: sha256(blob), diffId, compressed: true, below: [] });
    expect(listing(layers.tree([layer.id]))).toEqual(["/b 4755 …", "/d 755 /", "/d/f 644 …", "/d/l 777 -> f"]);
  });

  it.each<readonly [string, (blob: Buffer) => Buffer, string]>([
    ["another digest", (blob) => Buffer.concat([blob, Buffer.from("x")]), "digest-mismatch"],
    ["no gzip", () => Buffer.from("no gzip at all"), "bad-gzip"],
    ["a stream that ends too early", (blob) => blob.subarray(0, blob.length / 2), "bad-gzip"],
  ])("is refused: %s", async (_, change, code) => {
    const { path, blob, diffId } = blobOf(shape);
    fs.writeFileSync(path, change(blob));
    const request = { path, digest: sha256(blob), diffId, compressed: true, below: [] };
    await expect(importLayer(layersOf(), request)).rejects.toMatchObject({
      kind: "untrusted",
      code: expect.stringMatching(`${code}|bad-gzip`) as string,
    });
    expect(fs.existsSync(path), "it is not ours to remove").toBe(true);
    expect(fs.readdirSync(join(stores.folder, "store/blobs"))).toEqual([]);
  });

  it("is refused with another diff id", async () => {
    const { path, blob } = blobOf(shape);
    const request = { path, digest: sha256(blob), diffId: sha256(Buffer.from("x")), compressed: true, below: [] };
    await expect(importLayer(layersOf(), request)).rejects.toMatchObject({
      kind: "untrusted",
      code: "diff-id-mismatch",
    });
  });

  it("replaces a damaged tar of the same name", async () => {
    const { path, blob, diffId } = blobOf(shape);
    const layers = layersOf();
    fs.writeFileSync(layers.tarPath(diffId), "damaged", { mode: 0o600 });
    await importLayer(layers, { path, digest: sha256(blob), diffId, compressed: true, below: [] });
    expect(sha256(fs.readFileSync(layers.tarPath(diffId)))).toBe(diffId);
  });

  it("that is our own and damaged goes, for the next attempt to make it anew", async () => {
    const layers = layersOf();
    const { diffId } = writeLayer(layers, entriesOf(shape));
    const { digest } = compressLayer(layers, diffId);
    const path = compressedPath(layers, diffId);
    fs.rmSync(layers.tarPath(diffId));
    fs.truncateSync(path, 30);
    const request = { path, digest, diffId, compressed: true, below: [] };
    for (const found of ["its digest is", "it is missing"])
      await expect(importLayer(layers, request)).rejects.toMatchObject({
        code: "store-damaged",
        subject: path,
        message: expect.stringContaining(found) as string,
      });
  });
});
