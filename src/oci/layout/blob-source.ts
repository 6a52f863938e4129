import { createHash } from "node:crypto";

import type { Digest } from "../../base/index.js";
import { limits, rejected } from "../../base/index.js";
import type { Descriptor } from "../image/index.js";

/** Blobs by digest. What comes out of it is not yet proven to be what the digest says. */
export interface BlobSource {
  /** Bytes of the blob, or undefined when there is none. */
  rawSize(digest: Digest): number | undefined;
  /** The blob in pieces, each with memory of its own. */
  rawChunks(digest: Digest): Iterable<Uint8Array>;
}

/**
 * The bytes of a manifest, index or config, proven to have the size and digest of the descriptor.
 * @throws rejected `blob-missing`, `blob-too-large`, `blob-size`, `blob-digest`
 */
export function readVerifiedBlob(blobs: BlobSource, expected: Descriptor): Uint8Array {
  const { digest } = expected;
  const found = blobs.rawSize(digest);
  if (found === undefined)
    throw rejected({ code: "blob-missing", message: "expected the blob in the layout", subject: digest });
  if (found !== expected.size) throw wrongSize(expected, found);
  if (found > limits.manifestSize) {
    const message = `expected a document of at most ${limits.manifestSize} bytes, found ${found}`;
    throw rejected({ code: "blob-too-large", message, subject: digest });
  }
  const chunks = verifiedChunks(blobs, expected);
  return Buffer.concat([...chunks]);
}

/**
 * The pieces of a blob. The proof comes with the last one: only when the iteration has ended without an error are the
 * bytes those of the descriptor.
 * @throws rejected `blob-size`, `blob-digest`
 */
export function* verifiedChunks(blobs: BlobSource, expected: Descriptor): Generator<Uint8Array, void> {
  const hash = createHash("sha256");
  let size = 0;
  for (const chunk of blobs.rawChunks(expected.digest)) {
    size += chunk.length;
    if (size > expected.size) throw wrongSize(expected, size);
    hash.update(chunk);
    yield chunk;
  }
  if (size !== expected.size) throw wrongSize(expected, size);
  const digest = `sha256:${hash.digest("hex")}`;
  if (digest !== expected.digest) {
    throw rejected({
      code: "blob-digest",
      message: `expected the digest ${expected.digest}, found ${digest}`,
      subject: expected.digest,
      hint: "the blob was damaged or replaced; do not use it",
    });
  }
}

function wrongSize(expected: Descriptor, found: number): Error {
  return rejected({
    code: "blob-size",
    message: `expected ${expected.size} bytes, found ${found}${found > expected.size ? " or more" : ""}`,
    subject: expected.digest,
    hint: "the blob was damaged or replaced; do not use it",
  });
}
