/** Layers of other people's images: nothing of them is used before the blob's digest and the diff id were proven. */
import { createHash } from "node:crypto";
import { createGunzip } from "node:zlib";

import type { Digest, FileSystem } from "../../../base/index.js";
import { hexOf, limits, messageOf, rejected, toByteString, untrusted } from "../../../base/index.js";
import { indexTarFile } from "../../../oci/index.js";
import type { ReadLayerEntry } from "../../../oci/index.js";
import type { FolderNode, HashedEntry } from "../tree/file-tree.js";
import { nodeAt, splitPath } from "../tree/file-tree.js";
import type { LayerId, LayerStore, StoredLayer } from "./layer-store.js";
import { writeAll } from "./layer-writer.js";
import { compressedPath, sha256OfFile } from "./layer-compressor.js";
import { damaged, guarded } from "./store.js";

export interface ImportRequest {
  /** File of the blob. */
  readonly path: string;
  /** Digest of the blob as the manifest names it, and of the uncompressed tar as the configuration does. */
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly compressed: boolean;
  /** The layers below, lowest first: an opaque folder hides what they have. */
  readonly below: readonly LayerId[];
}

const readSize = 1 << 20;

/** @throws untrusted `digest-mismatch`, `diff-id-mismatch`; rejected for a tar that no layer may be. */
export async function importLayer(layers: LayerStore, request: ImportRequest): Promise<StoredLayer> {
  const tarPath = layers.tarPath(request.diffId);
  const name = `${hexOf(request.diffId)}.tar`;
  if (!layers.store.has("blobs", name)) await unpackBlob(layers, request);
  else if (sha256OfFile(layers.store.files, tarPath) !== request.diffId) await unpackBlob(layers, request);
  const index = indexTarFile(toByteString(tarPath), layers.store.files, "layer");
  if (index.digest !== request.diffId) throw mismatch("diff-id-mismatch", request.diffId, index.digest, tarPath);
  const below = layers.tree(request.below);
  return layers.add(
    request.diffId,
    index.size,
    index.entries.flatMap((entry) => plainEntries(entry, below)),
  );
}

/** An opaque mark says at once what one whiteout for each name below would say. */
function plainEntries(entry: ReadLayerEntry, below: FolderNode): HashedEntry[] {
  if (entry.type !== "opaque") return [entry];
  const folder = nodeAt(below, splitPath(entry.path));
  if (folder?.type !== "directory") return [];
  return [...folder.children.keys()].map((name) => ({
    type: "whiteout" as const,
    path: entry.path === "" ? name : `${entry.path}/${name}`,
  }));
}

async function unpackBlob(layers: LayerStore, request: ImportRequest): Promise<void> {
  const { store } = layers;
  const temporary = store.temporary("import");
  const out = guarded(temporary, () => store.files.openSync(temporary, "wx", 0o600));
  const blobHash = createHash("sha256");
  const tarHash = createHash("sha256");
  let size = 0;
  const take = (chunk: Uint8Array): void => {
    size += chunk.length;
    if (size > limits.archiveSize) throw tooLarge(request.path);
    tarHash.update(chunk);
    guarded(temporary, () => {
      writeAll(store.files, out, chunk);
    });
  };
  try {
    const chunks = readChunks(store.files, request.path, blobHash);
    if (request.compressed) await gunzip(chunks, take, request.path);
    else for (const chunk of chunks) take(chunk);
  } catch (thrown) {
    const found = isOwn(layers, request) ? sha256OfFile(store.files, request.path) : request.digest;
    throw found === request.digest ? thrown : wrongBlob(layers, request, found);
  } finally {
    store.files.closeSync(out);
  }
  const digest: Digest = `sha256:${blobHash.digest("hex")}`;
  if (digest !== request.digest) throw wrongBlob(layers, request, digest);
  const diffId: Digest = `sha256:${tarHash.digest("hex")}`;
  if (diffId !== request.diffId) throw mismatch("diff-id-mismatch", request.diffId, diffId, request.path);
  store.commit(temporary, "blobs", `${hexOf(diffId)}.tar`);
}

/** A blob of our own goes: the next attempt finds another place for it, or makes it anew. */
function wrongBlob(layers: LayerStore, request: ImportRequest, found: Digest | undefined): Error {
  if (found !== undefined && !isOwn(layers, request)) {
    return mismatch("digest-mismatch", request.digest, found, request.path);
  }
  layers.store.discard("gzip", `${hexOf(request.diffId)}.gz`);
  return damaged(request.path, found === undefined ? "it is missing" : `its digest is ${found}`);
}

function isOwn(layers: LayerStore, request: ImportRequest): boolean {
  return request.path === compressedPath(layers, request.diffId);
}

function* readChunks(files: FileSystem, path: string, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  const fd = guarded(path, () => files.openSync(path, "r"));
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(readSize);
      const got = guarded(path, () => files.readSync(fd, buffer, 0, readSize, null));
      if (got === 0) return;
      hash.update(buffer.subarray(0, got));
      yield buffer.subarray(0, got);
    }
  } finally {
    files.closeSync(fd);
  }
}

async function gunzip(chunks: Iterable<Buffer>, take: (chunk: Uint8Array) => void, subject: string): Promise<void> {
  const stream = createGunzip();
  const done = (async () => {
    for await (const chunk of stream) take(chunk as Buffer);
  })();
  const feed = (async () => {
    for (const chunk of chunks) {
      if (!stream.write(chunk)) await Promise.race([once(stream, "drain"), done]);
    }
    stream.end();
  })();
  try {
    await Promise.all([done, feed]);
  } catch (thrown) {
    stream.destroy();
    if (thrown instanceof Error && "errno" in thrown) {
      throw untrusted({ code: "bad-gzip", message: `expected a gzip stream: ${messageOf(thrown)}`, subject });
    }
    throw thrown;
  }
}

function once(stream: ReturnType<typeof createGunzip>, event: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once(event, () => {
      resolve();
    });
  });
}

function tooLarge(path: string): Error {
  return rejected({
    code: "layer-too-large",
    message: `expected at most ${String(limits.archiveSize)} bytes of uncompressed layer`,
    subject: path,
  });
}

function mismatch(code: string, expected: Digest, found: Digest, subject: string): Error {
  return untrusted({
    code,
    message: `expected ${expected}, found ${found}`,
    subject,
    hint: "the file was damaged or replaced; fetch or build it again",
  });
}
