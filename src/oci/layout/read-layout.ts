import { Buffer } from "node:buffer";
import { join } from "node:path/posix";

import type { Digest, FileSystem } from "../../base/index.js";
import { hexOf, limits, malformed, systemErrorCode, unavailable } from "../../base/index.js";
import type { ImageIndex } from "../image/index.js";
import { parseIndex } from "../image/index.js";
import { parseRawObject } from "../image/raw-json.js";
import type { BlobSource } from "./blob-source.js";

const chunkSize = 256 << 10;

/** An OCI image layout on disk: the parsed `index.json`, which nothing vouches for, and the blobs. */
export interface Layout extends BlobSource {
  readonly folder: string;
  readonly rawIndex: Uint8Array;
  readonly index: ImageIndex;
  blobPath(digest: Digest): string;
}

/** What reading a layout needs of the file system. */
export type LayoutFiles = Pick<FileSystem, "openSync" | "readSync" | "closeSync" | "fstatSync" | "lstatSync">;

/**
 * Opens a layout: its version and `index.json` are read, no blob is.
 * @throws unavailable `layout-unreadable`; malformed `bad-layout`, `bad-image-json`, `bad-digest`, `bad-media-type`
 */
export function readLayout(folder: string, files: LayoutFiles): Layout {
  const marker = join(folder, "oci-layout");
  const version = parseRawObject(readSmall(marker, files), marker).text("imageLayoutVersion");
  if (version !== "1.0.0") {
    throw malformed({
      code: "bad-layout",
      message: `expected an image layout of version 1.0.0, found ${version}`,
      subject: marker,
    });
  }
  const indexPath = join(folder, "index.json");
  const rawIndex = readSmall(indexPath, files);
  const blobPath = (digest: Digest): string => join(folder, "blobs", "sha256", hexOf(digest));
  return {
    folder,
    rawIndex,
    index: parseIndex(rawIndex, indexPath),
    blobPath,
    rawSize: (digest) => sizeOf(blobPath(digest), files),
    rawChunks: (digest) => readChunks(blobPath(digest), files),
  };
}

/** Size of a regular file; undefined for anything else, a symbolic link too: a blob never lies outside its layout. */
function sizeOf(path: string, files: LayoutFiles): number | undefined {
  const status = files.lstatSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true ? status.size : undefined;
}

function* readChunks(path: string, files: LayoutFiles): Generator<Uint8Array, void> {
  const fd = open(path, files);
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(chunkSize);
      const got = files.readSync(fd, buffer, 0, chunkSize, null);
      if (got === 0) return;
      yield buffer.subarray(0, got);
    }
  } finally {
    files.closeSync(fd);
  }
}

function readSmall(path: string, files: LayoutFiles): Uint8Array {
  const found = sizeOf(path, files);
  if (found !== undefined && found > limits.manifestSize) {
    throw malformed({
      code: "bad-layout",
      message: `expected at most ${limits.manifestSize} bytes, found ${found}`,
      subject: path,
    });
  }
  return Buffer.concat([...readChunks(path, files)]);
}

function open(path: string, files: LayoutFiles): number {
  try {
    return files.openSync(path, "r");
  } catch (error) {
    throw unavailable({
      code: "layout-unreadable",
      message: `expected a file of an OCI image layout: ${systemErrorCode(error) ?? "it cannot be opened"}`,
      subject: path,
      hint: "give the folder that holds oci-layout and index.json",
      cause: error,
    });
  }
}
