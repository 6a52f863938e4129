import { compareBytes } from "../../base/index.js";
import { LayerGzipEncoder } from "./layer-gzip-encoder.js";

/** How a gzip stream stands to the canonical one of the same content. */
export type GzipComparison =
  | { readonly canonical: true }
  /** `offset`: the first byte that differs, or that only one of the two streams has. */
  | { readonly canonical: false; readonly offset: number };

/**
 * Compares a gzip stream with what `go-flate-1` makes of its content: another compressor (zlib, pigz, Go 1.27) gives the
 * same content in other bytes, hence another digest. It does not check that `blob` unpacks to `content`.
 * @param content the uncompressed bytes, in chunks. It is not read on once a difference is found.
 */
export function compareWithCanonicalGzip(blob: Uint8Array, content: Iterable<Uint8Array>): GzipComparison {
  let matched = 0;
  let differs = false;
  const encoder = new LayerGzipEncoder((canonical) => {
    if (differs) return;
    const found = blob.subarray(matched, matched + canonical.length);
    if (compareBytes(found, canonical) === 0) {
      matched += canonical.length;
    } else {
      matched += firstDifference(found, canonical);
      differs = true;
    }
  });
  for (const chunk of content) {
    encoder.write(chunk);
    if (differs) return { canonical: false, offset: matched };
  }
  encoder.finish();
  if (differs || matched < blob.length) return { canonical: false, offset: matched };
  return { canonical: true };
}

/** Whether a gzip stream is, byte for byte, the canonical one of its content. See {@link compareWithCanonicalGzip}. */
export function isCanonicalGzip(blob: Uint8Array, content: Uint8Array): boolean {
  return compareWithCanonicalGzip(blob, [content]).canonical;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
