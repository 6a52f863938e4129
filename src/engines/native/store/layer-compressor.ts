/** The compressed form of a layer, in the canonical compressor's stream. */
import { createHash } from "node:crypto";

import type { Digest } from "../../../base/index.js";
import { hexOf, isDigest, untrusted } from "../../../base/index.js";
import { LayerGzipEncoder, compressorName } from "../../../oci/index.js";
import type { LayerStore } from "./layer-store.js";
import { writeAll } from "./layer-writer.js";
import { guarded } from "./store.js";

export interface CompressedLayer {
  readonly digest: Digest;
  /** Bytes of the compressed blob. */
  readonly size: number;
}

const readSize = 1 << 20;

/** The descriptor that the store has for a layer's compressed form, if it has both. */
export function findCompressed(layers: LayerStore, diffId: Digest): CompressedLayer | undefined {
  const record = layers.store.readRecord("gzip", hexOf(diffId)) as Partial<CompressedLayer> & { compressor?: unknown };
  if (typeof record?.digest !== "string" || !isDigest(record.digest) || typeof record.size !== "number")
    return undefined;
  if (record.compressor !== compressorName || !layers.store.has("gzip", `${hexOf(diffId)}.gz`)) return undefined;
  return { digest: record.digest, size: record.size };
}

export function compressedPath(layers: LayerStore, diffId: Digest): string {
  return layers.store.path("gzip", `${hexOf(diffId)}.gz`);
}

/**
 * Compresses a layer of the store.
 * @throws untrusted `layer-changed` when the tar is not what its diff id says.
 */
export function compressLayer(layers: LayerStore, diffId: Digest): CompressedLayer {
  const known = findCompressed(layers, diffId);
  if (known !== undefined) return known;
  const { store } = layers;
  const temporary = store.temporary("gzip");
  const path = layers.tarPath(diffId);
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
  if (found !== diffId) throw layerChanged(path, diffId, found);
  return { digest: `sha256:${blobHash.digest("hex")}`, size };
}

function layerChanged(path: string, expected: Digest, found: Digest): Error {
  return untrusted({
    code: "layer-changed",
    message: `expected a layer with diff id ${expected}, found ${found}`,
    subject: path,
    hint: "the store was changed by something else; remove this file and build again",
  });
}
