import type { GzipSink } from "./go-gzip-encoder.js";
import { GoGzipEncoder } from "./go-gzip-encoder.js";
import { TarWriteEnds } from "./tar-write-ends.js";

const halfWindow = 32768;
/** Lookahead that a position waits for: the shortest match and the longest one (GZ-6). */
const wantedLookahead = 4 + 258;

/**
 * The canonical gzip stream of a layer's tar: {@link GoGzipEncoder} with the writes ended where BuildKit's tar writer ends
 * them (GZ-7), so that the stream is a function of the tar's bytes alone. How they are cut into calls makes no difference.
 */
export class LayerGzipEncoder {
  readonly #encoder: GoGzipEncoder;
  #ends = new TarWriteEnds();
  #position = 0;

  /** @param sink as of {@link GoGzipEncoder}. */
  constructor(sink: GzipSink) {
    this.#encoder = new GoGzipEncoder(sink);
  }

  /** Compresses the next bytes of the tar, which are not kept. */
  write(chunk: Uint8Array): void {
    let start = 0;
    this.#ends.push(chunk, (end) => {
      if (!this.#matters(this.#position + end)) return;
      this.#encoder.write(chunk.subarray(start, end));
      this.#encoder.endWrite();
      start = end;
    });
    this.#encoder.write(start === 0 ? chunk : chunk.subarray(start));
    this.#position += chunk.length;
  }

  /** Ends the stream and passes on the rest of it. What is written afterwards begins another one. */
  finish(): void {
    this.#encoder.finish();
    this.#ends = new TarWriteEnds();
    this.#position = 0;
  }

  /** The end of a write is seen only by a window that slides, and no earlier than this before it is full. */
  #matters(position: number): boolean {
    return position % halfWindow >= halfWindow - wantedLookahead;
  }
}
