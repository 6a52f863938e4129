import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

import { goFlateWasm } from "./go-flate.wasm.js";

/** The name of the canonical compressor in statements and reports: Go's deflate as it was up to Go 1.26. */
export const compressorName = "go-flate-1";

/** Takes compressed bytes in order; they are valid only during the call, since their memory is used again. */
export type GzipSink = (bytes: Uint8Array) => void;

/** What assembly/index.ts exports. */
interface GoFlateExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly inputAddress: { readonly value: number };
  readonly inputCapacity: { readonly value: number };
  readonly outputAddress: { readonly value: number };
  readonly outputWaiting: { readonly value: number };
  begin(): void;
  compress(length: number): number;
  endWrite(): number;
  finish(checksum: number, size: number): number;
  clearOutput(): void;
}

function instantiate(): GoFlateExports {
  const module = new WebAssembly.Module(Buffer.from(goFlateWasm, "base64"));
  return new WebAssembly.Instance(module).exports as unknown as GoFlateExports;
}

/**
 * The canonical gzip stream `go-flate-1` (docs/spec/compressor.md): what `compress/gzip` of Go 1.26 and older writes at
 * its default level with an empty header. It holds about one megabyte, whatever goes through it.
 *
 * How the input is cut into calls of `write` makes no difference; calls of `endWrite` do (GZ-6). For the tar of a layer
 * take {@link LayerGzipEncoder}, which knows where they belong.
 */
export class GoGzipEncoder {
  readonly #flate = instantiate();
  readonly #sink: GzipSink;
  readonly #memory = new Uint8Array(this.#flate.memory.buffer);
  readonly #inputAddress = this.#flate.inputAddress.value;
  readonly #inputCapacity = this.#flate.inputCapacity.value;
  readonly #outputAddress = this.#flate.outputAddress.value;
  readonly #outputWaiting = this.#flate.outputWaiting.value;
  #checksum = 0;
  #size = 0;

  /** @param sink what it throws goes to the caller of `write` or `finish`; the encoder is useless after that. */
  constructor(sink: GzipSink) {
    this.#sink = sink;
    this.#flate.begin();
  }

  /** Compresses a chunk, which is not kept. */
  write(chunk: Uint8Array): void {
    this.#checksum = crc32(chunk, this.#checksum);
    this.#size = (this.#size + chunk.length) >>> 0;
    const capacity = this.#inputCapacity;
    for (let at = 0; at < chunk.length; at += capacity) {
      const part = chunk.length <= capacity ? chunk : chunk.subarray(at, at + capacity);
      this.#memory.set(part, this.#inputAddress);
      const waiting = this.#flate.compress(part.length);
      if (waiting >= this.#outputWaiting) this.#pass(waiting);
    }
  }

  /** Says that the canonical producer ends one of its writes here (GZ-6). */
  endWrite(): void {
    const waiting = this.#flate.endWrite();
    if (waiting >= this.#outputWaiting) this.#pass(waiting);
  }

  /** Ends the stream and passes on the rest of it. What is written afterwards begins another stream. */
  finish(): void {
    this.#pass(this.#flate.finish(this.#checksum, this.#size));
    this.#checksum = 0;
    this.#size = 0;
    this.#flate.begin();
  }

  #pass(length: number): void {
    this.#sink(this.#memory.subarray(this.#outputAddress, this.#outputAddress + length));
    this.#flate.clearOutput();
  }
}
