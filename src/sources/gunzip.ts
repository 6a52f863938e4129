import { constants, crc32, createInflateRaw } from "node:zlib";

import { messageOf } from "../base/index.js";

/** Up to `size` next bytes of the input; empty at its end. */
export type ReadPiece = () => Uint8Array;

const nothing = new Uint8Array(0);
/** Go's reader takes no longer name or comment. */
const longestName = 512;

/**
 * Decodes a gzip stream of one or more members (RFC 1952) and gives `sink` every byte that can be decoded, also before
 * a fault: what stands after the end of a tar is not looked at by ADD, so only its reader can tell whether a fault
 * matters. `node:zlib`'s own gunzip drops what it decoded last. Returns the fault, or undefined. Errors of `sink` and
 * `read` come through.
 */
export async function gunzip(
  read: ReadPiece,
  sink: (piece: Uint8Array) => void,
  memberLimit: number,
): Promise<string | undefined> {
  const input = new Input(read);
  for (let member = 0; ; member++) {
    if (member > 0 && !input.need(1)) return undefined;
    if (member === memberLimit) return `more than ${String(memberLimit)} gzip members follow each other`;
    const fault = skipHeader(input) ?? (await inflateMember(input, sink));
    if (fault !== undefined) return fault;
  }
}

/** Bytes that were read and not yet used. */
class Input {
  pending: Uint8Array = nothing;
  readonly #read: ReadPiece;

  constructor(read: ReadPiece) {
    this.#read = read;
  }

  /** Reads until `count` bytes are there; false at the end of the input. */
  need(count: number): boolean {
    while (this.pending.length < count) {
      const piece = this.#read();
      if (piece.length === 0) return false;
      this.pending = this.pending.length === 0 ? Uint8Array.from(piece) : Buffer.concat([this.pending, piece]);
    }
    return true;
  }

  take(count: number): Uint8Array {
    const taken = this.pending.subarray(0, count);
    this.pending = this.pending.subarray(count);
    return taken;
  }

  /** All that is pending, or the next piece. */
  takePiece(): Uint8Array {
    if (!this.need(1)) return nothing;
    return this.take(this.pending.length);
  }
}

const truncated = "the gzip stream ends too early";
const flagHeaderCrc = 2;
const flagExtra = 4;
const flagName = 8;
const flagComment = 16;

function skipHeader(input: Input): string | undefined {
  if (!input.need(10)) return truncated;
  const head = input.take(10);
  if (head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8) return "something that is not gzip follows";
  const flags = head[3] ?? 0;
  if ((flags & flagExtra) !== 0) {
    if (!input.need(2)) return truncated;
    const [low = 0, high = 0] = input.take(2);
    const size = low + high * 256;
    if (!input.need(size)) return truncated;
    input.take(size);
  }
  for (const flag of [flagName, flagComment]) {
    if ((flags & flag) !== 0 && !skipText(input)) return "a name in a gzip header has no end";
  }
  if ((flags & flagHeaderCrc) === 0) return undefined;
  if (!input.need(2)) return truncated;
  input.take(2);
  return undefined;
}

function skipText(input: Input): boolean {
  for (let length = 0; length < longestName; length++) {
    if (!input.need(1)) return false;
    if (input.take(1)[0] === 0) return true;
  }
  return false;
}

async function inflateMember(input: Input, sink: (piece: Uint8Array) => void): Promise<string | undefined> {
  let size = 0;
  let checksum = 0;
  const fault = await inflate(input, (piece) => {
    size = (size + piece.length) % 2 ** 32;
    checksum = crc32(piece, checksum);
    sink(piece);
  });
  if (fault !== undefined) return fault;
  if (!input.need(8)) return truncated;
  const trailer = Buffer.from(input.take(8));
  const isGood = trailer.readUInt32LE(0) === checksum && trailer.readUInt32LE(4) === size;
  return isGood ? undefined : "the checksum of a gzip member is wrong";
}

/** Inflates one deflate stream; what follows it is left in `input`. */
async function inflate(input: Input, sink: (piece: Uint8Array) => void): Promise<string | undefined> {
  const stream = new DeflateStream(sink);
  try {
    for (let fed = 0; ;) {
      const piece = input.takePiece();
      if (piece.length === 0) {
        await stream.finish();
        return stream.fault ?? truncated;
      }
      fed += piece.length;
      const used = await stream.write(piece);
      if (stream.fault !== undefined) return stream.fault;
      if (stream.isOver || used < fed) {
        await stream.finish();
        input.pending = Buffer.concat([piece.subarray(piece.length - (fed - used)), input.pending]);
        return undefined;
      }
    }
  } finally {
    stream.destroy();
  }
}

/** `node:zlib`'s stream, without its events: faults of the data are a text, those of the sink are thrown. */
class DeflateStream {
  fault: string | undefined;
  isOver = false;
  // With a sync flush at the end, a stream that is cut gives all that it holds and no error.
  readonly #inflater = createInflateRaw({ chunkSize: 1 << 18, finishFlush: constants.Z_SYNC_FLUSH });
  readonly #closed: Promise<void>;
  #failure: { readonly cause: unknown } | undefined;

  constructor(sink: (piece: Uint8Array) => void) {
    this.#inflater.on("data", (piece: Uint8Array) => {
      if (this.#failure !== undefined) return;
      try {
        sink(piece);
      } catch (cause) {
        this.#failure = { cause };
      }
    });
    this.#closed = new Promise((resolve) => {
      this.#inflater.on("end", () => {
        this.isOver = true;
        resolve();
      });
      this.#inflater.on("error", (cause) => {
        this.fault = messageOf(cause);
        resolve();
      });
    });
  }

  /** The bytes of all pieces so far that were used: fewer than given once the deflate stream has ended. */
  async write(piece: Uint8Array): Promise<number> {
    await Promise.race([new Promise<void>((resolve) => this.#inflater.write(piece, () => resolve())), this.#closed]);
    this.#rethrow();
    return this.#inflater.bytesWritten;
  }

  /** No more input: waits for the last output. */
  async finish(): Promise<void> {
    if (!this.isOver && this.fault === undefined) this.#inflater.end();
    await this.#closed;
    this.#rethrow();
  }

  destroy(): void {
    this.#inflater.destroy();
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
