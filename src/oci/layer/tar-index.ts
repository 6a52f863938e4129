import { Buffer } from "node:buffer";

import type { ByteString, Digest, FileSystem } from "../../base/index.js";
import { ArchiveIndexer } from "./archive-indexer.js";
import type { NodeEntry } from "./entry.js";
import type { ReadLayerEntry } from "./layer-indexer.js";
import { LayerIndexer } from "./layer-indexer.js";
import type { TarSource } from "./tar-node.js";
import { TarScanner } from "./tar-scanner.js";

/** How a tar is read: as a layer of an image, strictly; or as a source archive, the way ADD unpacks it. */
export type TarMode = "layer" | "archive";

/** What a tar holds. Contents of files are of the kind `file`, with offsets into the uncompressed tar. */
export interface TarIndex<Entry> {
  readonly entries: readonly Entry[];
  /** Of the whole uncompressed stream: the diff id, for a layer. */
  readonly digest: Digest;
  /** Of the whole uncompressed stream, in bytes. */
  readonly size: number;
}

/** Takes a tar piece by piece, so that it can be indexed while it is unpacked, downloaded or copied. */
export interface TarIndexer<Entry> {
  /** @throws malformed `bad-tar`, `bad-pax-record`; rejected with a code that begins with `tar-` */
  push(chunk: Uint8Array): void;
  /** Called once, after the last piece. @throws malformed `bad-tar` when the archive is cut short */
  finish(): TarIndex<Entry>;
}

const readSize = 1 << 20;

export function createTarIndexer(mode: "layer", source: TarSource): TarIndexer<ReadLayerEntry>;
export function createTarIndexer(mode: "archive", source: TarSource): TarIndexer<NodeEntry>;
export function createTarIndexer(mode: TarMode, source: TarSource): TarIndexer<ReadLayerEntry | NodeEntry> {
  const indexer = mode === "layer" ? new LayerIndexer(source) : new ArchiveIndexer(source);
  const scanner = new TarScanner({
    subject: source.subject,
    strict: mode === "layer",
    onEntry: (raw) => indexer.add(raw),
  });
  return {
    push: (chunk) => scanner.push(chunk),
    finish() {
      const { digest, size } = scanner.finish();
      return { entries: indexer.entries, digest, size };
    },
  };
}

/**
 * Indexes an uncompressed tar from anything that can be read at an offset.
 * @param read fills the buffer from the byte at the offset on and gives the number of bytes, 0 at the end.
 */
export function indexTar<Entry>(
  read: (buffer: Uint8Array, offset: number) => number,
  indexer: TarIndexer<Entry>,
): TarIndex<Entry> {
  const buffer = Buffer.allocUnsafeSlow(readSize);
  let offset = 0;
  for (let got = read(buffer, offset); got > 0; got = read(buffer, offset)) {
    indexer.push(buffer.subarray(0, got));
    offset += got;
  }
  return indexer.finish();
}

type ReadableFiles = Pick<FileSystem, "openSync" | "readSync" | "closeSync">;

/** Indexes an uncompressed tar file; `path` becomes the content path of its files. Errors as of {@link TarIndexer}. */
export function indexTarFile(path: ByteString, files: ReadableFiles, mode: "layer"): TarIndex<ReadLayerEntry>;
export function indexTarFile(path: ByteString, files: ReadableFiles, mode: "archive"): TarIndex<NodeEntry>;
export function indexTarFile(
  path: ByteString,
  files: ReadableFiles,
  mode: TarMode,
): TarIndex<ReadLayerEntry | NodeEntry> {
  const rawPath = Buffer.from(path, "latin1");
  const source = { contentPath: path, subject: rawPath.toString() };
  const fd = files.openSync(rawPath, "r");
  try {
    const indexer: TarIndexer<ReadLayerEntry | NodeEntry> =
      mode === "layer" ? createTarIndexer("layer", source) : createTarIndexer("archive", source);
    return indexTar((buffer, offset) => files.readSync(fd, buffer, 0, buffer.length, offset), indexer);
  } finally {
    files.closeSync(fd);
  }
}
