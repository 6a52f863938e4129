import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import type { Digest } from "../../base/index.js";
import { malformed } from "../../base/index.js";
import type { LayerCompression } from "../image/index.js";
import { createTarIndexer } from "../layer/index.js";

/** What is inside a layer's blob. */
export interface UnpackedLayer {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly entries: number;
}

/**
 * Decompresses a layer and reads its tar strictly. The chunks need not be proven yet.
 * @throws malformed `bad-gzip`, `gzip-trailing-bytes`, `bad-tar`; rejected with a code that begins with `tar-`
 */
export async function unpackLayer(
  chunks: Iterable<Uint8Array>,
  compression: Exclude<LayerCompression, "zstd">,
  subject: string,
): Promise<UnpackedLayer> {
  const indexer = createTarIndexer("layer", { contentPath: "", subject });
  if (compression === "none") for (const chunk of chunks) indexer.push(chunk);
  else await gunzip(chunks, (chunk) => indexer.push(chunk), subject);
  const { digest, size, entries } = indexer.finish();
  return { diffId: digest, size, entries: entries.length };
}

async function gunzip(chunks: Iterable<Uint8Array>, push: (chunk: Uint8Array) => void, subject: string): Promise<void> {
  const decoder = createGunzip();
  let given = 0;
  const counted = function* (): Generator<Uint8Array> {
    for (const chunk of chunks) {
      given += chunk.length;
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.from(counted()), decoder, async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const chunk of unpacked) push(chunk);
    });
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw malformed({ code: "bad-gzip", message: `expected a gzip stream: ${error.message}`, subject, cause: error });
  }
  // Node's decoder passes over whatever follows the last member; two readers could see two layers.
  if (decoder.bytesWritten === given) return;
  const message = `expected nothing after the gzip stream, found ${given - decoder.bytesWritten} bytes`;
  throw malformed({ code: "gzip-trailing-bytes", message, subject });
}

function isZlibError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && /^Z_/.test(String(error.code));
}
