/** The compressed form of a layer, in the canonical compressor's stream. */
import { createHash } from "node:crypto";

import type { Digest, FileSystem } from "../../../base/index.js";
import { hexOf, isDigest, systemErrorCode } from "../../../base/index.js";
import { LayerGzipEncoder, compressorName } from "../../../oci/index.js";
import type { LayerStore } from "./layer-store.js";
import { writeAll } from "./layer-writer.js";
import { damaged, guarded, ioError } from "./store.js";

export interface CompressedLayer {
  readonly digest: Digest;
  /** Bytes of the compressed blob. */
  readonly size: number;
}

const readSize = 1 << 20;

/** The descriptor that the store has for a layer's compressed form, if it has both. */
export function findCompressed(layers: LayerStore, diffId: Digest): CompressedLayer | undefined {
  const record = layers.store.useRecord("gzip", hexOf(diffId)) as Partial<CompressedLayer> & { compressor?: unknown };
  if (typeof record?.digest !== "string" || !isDigest(record.digest) || typeof record.size !== "number")
    return undefined;
  if (record.compressor !== compressorName || !layers.store.use("gzip", `${hexOf(diffId)}.gz`)) return undefined;
  return { digest: record.digest, size: record.size };
}

export function compressedPath(layers: LayerStore, diffId: Digest): string {
  return layers.store.path("gzip", `${hexOf(diffId)}.gz`);
}

/**
 * The compressed form of a layer, proven: one that the store has is read through, and made anew where it is damaged.
 * @throws untrusted `store-damaged` when the tar is not what its diff id says; the tar is gone then.
 */
export function compressLayer(layers: LayerStore, diffId: Digest): CompressedLayer {
  const { store } = layers;
  const known = findCompressed(layers, diffId);
  if (known !== undefined && sha256OfFile(store.files, compressedPath(layers, diffId)) === known.digest) return known;
  const temporary = store.temporary("gzip");
  const path = layers.tarPath(diffId);
  if (!store.has("blobs", `${hexOf(diffId)}.tar`)) throw damaged(path, "it is missing");
  const input = guarded(path, () => store.files.openSync(path, "r"));
  const output = guarded(temporary, () => store.files.openSync(temporary, "wx", 0o600));
  try {
    const compressed = pump(layers, diffId, input, output);
    store.commit(temporary, "gzip", `${hexOf(diffId)}.gz`);
    store.writeRecord("gzip", hexOf(diffId), { ...compressed, compressor: compressorName });
    return compressed;
  } finally {
    store.files.closeSync(input);
    store.files.closeSync(output);
  }
}

function pump(layers: LayerStore, diffId: Digest, input: number, output: number): CompressedLayer {
  const { files } = layers.store;
  const blobHash = createHash("sha256");
  const tarHash = createHash("sha256");
  let size = 0;
  const path = layers.tarPath(diffId);
  const encoder = new LayerGzipEncoder((chunk) => {
    size += chunk.length;
    blobHash.update(chunk);
    guarded(path, () => {
      writeAll(files, output, chunk);
    });
  });
  const buffer = Buffer.allocUnsafe(readSize);
  for (;;) {
    const got = guarded(path, () => files.readSync(input, buffer, 0, readSize, null));
    if (got === 0) break;
    tarHash.update(buffer.subarray(0, got));
    encoder.write(buffer.subarray(0, got));
  }
  encoder.finish();
  const found: Digest = `sha256:${tarHash.digest("hex")}`;
  if (found !== diffId) {
    layers.store.discard("blobs", `${hexOf(diffId)}.tar`);
    throw damaged(path, `its diff id is ${found}`);
  }
  return { digest: `sha256:${blobHash.digest("hex")}`, size };
}

/** The digest of a file's bytes, or undefined when there is none. */
export function sha256OfFile(files: FileSystem, path: string): Digest | undefined {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(readSize);
  let fd: number;
  try {
    fd = files.openSync(path, "r");
  } catch (thrown) {
    if (systemErrorCode(thrown) === "ENOENT") return undefined;
    throw ioError(thrown, path);
  }
  try {
    for (let got = read(); got > 0; got = read()) hash.update(buffer.subarray(0, got));
  } finally {
    files.closeSync(fd);
  }
  return `sha256:${hash.digest("hex")}`;

  function read(): number {
    return guarded(path, () => files.readSync(fd, buffer, 0, readSize, null));
  }
}
