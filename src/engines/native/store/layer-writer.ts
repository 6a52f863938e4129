/** Entries in, layer in the store out: one pass writes the tar, its diff id and the SHA-256 of every file. */
import { createHash, type Hash } from "node:crypto";

import type { Digest } from "../../../base/index.js";
import { digestOf, hexOf, rejected, toByteString } from "../../../base/index.js";
import { writeLayerTar } from "../../../oci/index.js";
import type { FileEntry } from "../../../oci/index.js";
import type { HashedEntry } from "../tree/file-tree.js";
import type { LayerStore, StoredLayer } from "./layer-store.js";
import { imageEpochSeconds } from "./layer-store.js";
import { guarded, ioError } from "./store.js";

/** Hashes each file as its bytes pass in the stream of the whole tar, and holds it to the SHA-256 of its entry. */
export class FileHasher {
  readonly offsets: number[] = [];
  readonly hashes: string[] = [];
  private readonly waiting: { readonly end: number; readonly start: number; readonly entry: FileEntry }[] = [];
  private next = 0;
  private current: Hash | undefined;
  private position = 0;

  expect(entry: FileEntry, offset: number): void {
    this.offsets.push(offset);
    this.waiting.push({ entry, start: offset, end: offset + entry.size });
  }

  update(chunk: Uint8Array): void {
    const chunkEnd = this.position + chunk.length;
    for (let range = this.waiting[this.next]; range !== undefined; range = this.waiting[this.next]) {
      if (range.start >= chunkEnd && range.end > range.start) break;
      this.current ??= createHash("sha256");
      const from = Math.max(range.start, this.position) - this.position;
      const to = Math.min(range.end, chunkEnd) - this.position;
      if (to > from) this.current.update(chunk.subarray(from, to));
      if (range.end > chunkEnd) break;
      this.finish(range.entry);
    }
    this.position = chunkEnd;
  }

  private finish(entry: FileEntry & { readonly sha256?: string }): void {
    const found = this.current?.digest("hex") ?? "";
    this.current = undefined;
    this.next++;
    if (entry.sha256 !== undefined && entry.sha256 !== found) {
      throw rejected({
        code: "content-changed",
        message: `expected content with SHA-256 ${entry.sha256}, found ${found}`,
        subject: entry.path,
        hint: "something wrote to the file during the build; run it again when nothing does",
      });
    }
    this.hashes.push(found);
  }
}

/**
 * Writes a layer whose entries are in the order of a layer (see `diffTrees`).
 * @throws rejected `content-changed` when a file is not what its entry says; unavailable `disk-full`.
 */
export function writeLayer(layers: LayerStore, entries: readonly HashedEntry[]): StoredLayer {
  const { store } = layers;
  const temporary = store.temporary("layer");
  const files = new FileHasher();
  const whole = createHash("sha256");
  const fd = guarded(temporary, () => store.files.openSync(temporary, "wx", 0o600));
  let size: number;
  try {
    const clamp = { epochSeconds: imageEpochSeconds };
    const onContent = (entry: FileEntry, offset: number) => {
      files.expect(entry, offset);
    };
    size = writeLayerTar(entries, { files: store.files, clamp, onContent }, (chunk) => {
      whole.update(chunk);
      files.update(chunk);
      writeAll(store.files, fd, chunk);
    });
  } catch (thrown) {
    throw ioError(thrown, temporary);
  } finally {
    store.files.closeSync(fd);
  }
  const diffId: Digest = `sha256:${whole.digest("hex")}`;
  store.commit(temporary, "blobs", `${hexOf(diffId)}.tar`);
  return layers.add(diffId, size, placedEntries(entries, files, layers.tarPath(diffId)));
}

function placedEntries(entries: readonly HashedEntry[], files: FileHasher, tarPath: string): HashedEntry[] {
  const path = toByteString(tarPath);
  let index = 0;
  return entries.map((entry) => {
    if (entry.type !== "file") return entry;
    const at = index++;
    const content = { kind: "file" as const, path, offset: files.offsets[at] ?? 0 };
    return { ...entry, content, sha256: files.hashes[at] ?? "" };
  });
}

/** Writes the whole chunk, however the system splits it. */
export function writeAll(files: LayerStore["store"]["files"], fd: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length;) done += files.writeSync(fd, chunk, done, chunk.length - done);
}

/** A name for what a layer would hold, before it is written: equal entries give an equal tar. */
export function entriesKey(entries: readonly HashedEntry[]): string {
  const rows = entries.map((entry) => {
    if (entry.type !== "file") return JSON.stringify(entry);
    const { content: _content, ...known } = entry;
    return JSON.stringify(known);
  });
  return hexOf(digestOf(rows.join("\n")));
}
