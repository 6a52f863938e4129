import { Buffer } from "node:buffer";

import type { ByteString, FileSystem } from "../../base/index.js";
import { messageOf, rejected, systemErrorCode, unavailable } from "../../base/index.js";
import type { Content, FileEntry, LayerEntry } from "./entry.js";
import type { Clamp } from "./tar-header.js";
import { blockSize, planTarHeader, writeHeaderBlock } from "./tar-header.js";

const bufferSize = 1 << 20;
const trailerSize = 2 * blockSize;

export interface LayerTarOptions {
  /** Where contents of the kind `file` are read. */
  readonly files: Pick<FileSystem, "openSync" | "readSync" | "closeSync">;
  readonly clamp: Clamp;
  /** Called for each regular file with the place of its first byte in the tar, before the bytes are written. */
  readonly onContent?: (entry: FileEntry, offset: number) => void;
}

/**
 * Writes the tar of a layer: every entry in the order given (see `layerOrder`), then exactly 1024 zero bytes (IM-28). It
 * is synchronous and holds one megabyte, whatever the size of the layer.
 * @param sink takes the bytes in order; a chunk is valid only during the call, since its memory is used again.
 * @returns the size of the tar in bytes.
 * @throws rejected `content-changed` when a file has not exactly the size of its entry (from an offset other than 0: is
 * shorter); unavailable `content-unreadable`; malformed `bad-tar-entry`.
 */
export function writeLayerTar(
  entries: Iterable<LayerEntry>,
  options: LayerTarOptions,
  sink: (chunk: Uint8Array) => void,
): number {
  const writer = new LayerTarWriter(options, sink);
  try {
    for (const entry of entries) writer.add(entry);
    return writer.finish();
  } finally {
    writer.close();
  }
}

/** One output buffer into which headers are laid out and contents are read, so that no byte is copied twice. */
class LayerTarWriter {
  readonly #options: LayerTarOptions;
  readonly #sink: (chunk: Uint8Array) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferSize);
  /** Bytes in the buffer that the sink has not seen. */
  #held = 0;
  /** Bytes that the sink has seen. */
  #passed = 0;
  /** Many entries of one archive share one file: it stays open until another is asked for. */
  #shared: { readonly path: ByteString; readonly fd: number } | undefined;

  constructor(options: LayerTarOptions, sink: (chunk: Uint8Array) => void) {
    this.#options = options;
    this.#sink = sink;
  }

  add(entry: LayerEntry): void {
    const { pax, fields } = planTarHeader(entry, this.#options);
    if (pax.length > 0) this.#copy(pax);
    this.#reserve(blockSize);
    writeHeaderBlock(this.#buffer, this.#held, fields);
    this.#held += blockSize;
    if (entry.type !== "file") return;
    this.#options.onContent?.(entry, this.#passed + this.#held);
    this.#addContent(entry);
    this.#pad((blockSize - (entry.size % blockSize)) % blockSize);
  }

  finish(): number {
    this.#pad(trailerSize);
    this.#flush();
    return this.#passed;
  }

  close(): void {
    if (this.#shared !== undefined) this.#options.files.closeSync(this.#shared.fd);
    this.#shared = undefined;
  }

  #addContent(entry: FileEntry): void {
    const { content } = entry;
    if (content.kind === "bytes") {
      if (content.data.length !== entry.size) throw changed(entry, content.data.length);
      this.#copy(content.data);
      return;
    }
    // An empty file is opened too: it may have grown.
    if (content.offset > 0) this.#read(entry, this.#open(content), content.offset);
    else this.#readWhole(entry, content);
  }

  #readWhole(entry: FileEntry, content: Content & { kind: "file" }): void {
    const { files } = this.#options;
    const fd = openContent(files, content.path);
    try {
      this.#read(entry, fd, undefined);
    } finally {
      files.closeSync(fd);
    }
  }

  /** Reads exactly the entry's size into the buffer; without an offset it reads on by one byte, to see the file's end. */
  #read(entry: FileEntry, fd: number, offset: number | undefined): void {
    const { files } = this.#options;
    const beyond = offset === undefined ? 1 : 0;
    let done = 0;
    while (done < entry.size + beyond) {
      const wanted = entry.size + beyond - done;
      if (this.#held > bufferSize - Math.min(wanted, bufferSize / 2)) this.#flush();
      const room = Math.min(wanted, bufferSize - this.#held);
      const position = offset === undefined ? null : offset + done;
      const got = readContent(() => files.readSync(fd, this.#buffer, this.#held, room, position), entry);
      const kept = Math.min(got, entry.size - done);
      this.#held += kept;
      done += got;
      // A short read of a regular file is its end: one call for a small file, not two.
      if (got === 0 || (got < room && done === entry.size)) break;
    }
    if (done !== entry.size) throw changed(entry, done);
  }

  #open(content: Content & { kind: "file" }): number {
    if (this.#shared?.path === content.path) return this.#shared.fd;
    this.close();
    const fd = openContent(this.#options.files, content.path);
    this.#shared = { path: content.path, fd };
    return fd;
  }

  #copy(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      if (this.#held === bufferSize) this.#flush();
      const count = Math.min(data.length - at, bufferSize - this.#held);
      this.#buffer.set(data.subarray(at, at + count), this.#held);
      this.#held += count;
      at += count;
    }
  }

  #pad(count: number): void {
    this.#reserve(count);
    this.#buffer.fill(0, this.#held, this.#held + count);
    this.#held += count;
  }

  #reserve(count: number): void {
    if (bufferSize - this.#held < count) this.#flush();
  }

  #flush(): void {
    if (this.#held === 0) return;
    this.#sink(this.#buffer.subarray(0, this.#held));
    this.#passed += this.#held;
    this.#held = 0;
  }
}

/** A byte string as an argument of the file system: as it is where it is ASCII, since bytes cost an allocation. */
function openContent(files: LayerTarOptions["files"], path: ByteString): number {
  try {
    return files.openSync(/[^\x01-\x7f]/.test(path) ? Buffer.from(path, "latin1") : path, "r");
  } catch (error) {
    throw unreadable(error, path);
  }
}

function readContent(read: () => number, entry: FileEntry): number {
  try {
    return read();
  } catch (error) {
    throw unreadable(error, entry.path);
  }
}

function unreadable(error: unknown, subject: string): Error {
  return unavailable({
    code: "content-unreadable",
    message: `expected to read the content of a file of the layer: ${systemErrorCode(error) ?? messageOf(error)}`,
    subject,
    hint: "the store may have been changed by hand; run the build again",
    cause: error,
  });
}

function changed(entry: FileEntry, found: number): Error {
  return rejected({
    code: "content-changed",
    message: `expected a file of ${entry.size} bytes, found ${found > entry.size ? "more" : `${found}`}`,
    subject: entry.path,
    hint: "something wrote to the file while its layer was made; run the build again",
  });
}
