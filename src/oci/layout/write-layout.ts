import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path/posix";

import type { ByteString, Digest, FileSystem } from "../../base/index.js";
import { StagewrightError, hexOf, messageOf, rejected, systemErrorCode, unavailable } from "../../base/index.js";
import type { RenderedImage } from "../image/index.js";

/** A compressed layer on disk. */
export interface LayerBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly path: ByteString;
}

export interface LayoutInput {
  /** The layout's folder; the folders above it are made where they are missing. */
  readonly folder: string;
  readonly image: RenderedImage;
  /** All layers that the manifests name; one that stands twice is written once. */
  readonly layers: readonly LayerBlob[];
}

export type LayoutWriteFiles = Pick<
  FileSystem,
  | "openSync"
  | "readSync"
  | "writeSync"
  | "closeSync"
  | "fsyncSync"
  | "mkdirSync"
  | "renameSync"
  | "rmSync"
  | "readdirSync"
  | "lstatSync"
>;

const marker = Buffer.from('{"imageLayoutVersion":"1.0.0"}');
const copySize = 1 << 20;
const temporary = ".partial";

/**
 * Writes an OCI image layout (IM-40). Every file is written beside its place, proven against its digest and size,
 * synced and renamed; `index.json` is the last, so that at every moment the folder holds the old image or the new one
 * and never a part. Then the blobs of the old image are removed. One process at a time may write to a folder.
 * @throws rejected `blob-size`, `blob-digest` when a layer is not what it should be, and the folder stays as it was;
 * unavailable `layout-unwritable`
 */
export function writeLayout(input: LayoutInput, files: LayoutWriteFiles): void {
  try {
    new LayoutWriter(input.folder, files).write(input);
  } catch (error) {
    if (error instanceof StagewrightError || systemErrorCode(error) === undefined) throw error;
    throw unavailable({
      code: "layout-unwritable",
      message: `expected to write an OCI image layout: ${messageOf(error)}`,
      subject: input.folder,
      hint: "see whether the disk is full and whether the folder is yours",
      cause: error,
    });
  }
}

class LayoutWriter {
  readonly #folder: string;
  readonly #blobs: string;
  readonly #files: LayoutWriteFiles;
  readonly #buffer = Buffer.allocUnsafeSlow(copySize);

  constructor(folder: string, files: LayoutWriteFiles) {
    this.#folder = folder;
    this.#blobs = join(folder, "blobs", "sha256");
    this.#files = files;
  }

  write({ image, layers }: LayoutInput): void {
    this.#files.mkdirSync(this.#blobs, { recursive: true });
    const kept = new Set<string>();
    for (const layer of layers) this.#keep(kept, layer.digest, () => this.#copyLayer(layer));
    const documents = [image.index, ...image.platforms.flatMap(({ config, manifest }) => [config, manifest])];
    for (const { descriptor, data } of documents) {
      this.#keep(kept, descriptor.digest, () => this.#writeFile(this.#blobPath(descriptor.digest), data));
    }
    this.#syncFolder(this.#blobs);
    this.#writeFile(join(this.#folder, "oci-layout"), marker);
    this.#writeFile(join(this.#folder, "index.json"), image.outerIndex);
    this.#syncFolder(this.#folder);
    this.#removeOthers(kept);
  }

  #blobPath(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  #keep(kept: Set<string>, digest: Digest, write: () => void): void {
    const name = hexOf(digest);
    if (!kept.has(name)) write();
    kept.add(name);
  }

  #copyLayer(layer: LayerBlob): void {
    const from = this.#files.openSync(Buffer.from(layer.path, "latin1"), "r");
    try {
      this.#place(this.#blobPath(layer.digest), (to) => this.#copy(from, to, layer));
    } finally {
      this.#files.closeSync(from);
    }
  }

  #copy(from: number, to: number, layer: LayerBlob): void {
    const hash = createHash("sha256");
    let size = 0;
    for (;;) {
      const got = this.#files.readSync(from, this.#buffer, 0, copySize, null);
      if (got === 0) break;
      size += got;
      const chunk = this.#buffer.subarray(0, got);
      hash.update(chunk);
      this.#writeAll(to, chunk);
    }
    const digest = `sha256:${hash.digest("hex")}`;
    if (size === layer.size && digest === layer.digest) return;
    throw rejected({
      code: size === layer.size ? "blob-digest" : "blob-size",
      message: `expected ${layer.size} bytes of ${layer.digest}, found ${size} of ${digest}`,
      subject: Buffer.from(layer.path, "latin1").toString(),
      hint: "the store is damaged: remove the blob and build again",
    });
  }

  #writeFile(path: string, data: Uint8Array): void {
    this.#place(path, (fd) => this.#writeAll(fd, data));
  }

  /** Fills a file beside its place, syncs it and renames it. */
  #place(path: string, fill: (fd: number) => void): void {
    const beside = `${path}${temporary}`;
    // What a process that was killed left behind goes first; `wx` then follows no link.
    this.#files.rmSync(beside, { force: true });
    const fd = this.#files.openSync(beside, "wx", 0o644);
    try {
      fill(fd);
      this.#files.fsyncSync(fd);
    } catch (error) {
      this.#files.rmSync(beside, { force: true });
      throw error;
    } finally {
      this.#files.closeSync(fd);
    }
    this.#files.renameSync(beside, path);
  }

  #writeAll(fd: number, data: Uint8Array): void {
    for (let at = 0; at < data.length;) at += this.#files.writeSync(fd, data, at, data.length - at, null);
  }

  #syncFolder(path: string): void {
    const fd = this.#files.openSync(path, "r");
    try {
      this.#files.fsyncSync(fd);
    } finally {
      this.#files.closeSync(fd);
    }
  }

  #removeOthers(kept: ReadonlySet<string>): void {
    for (const name of this.#files.readdirSync(this.#blobs)) {
      if (!kept.has(name)) this.#files.rmSync(join(this.#blobs, name), { recursive: true, force: true });
    }
  }
}
