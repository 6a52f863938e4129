import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

import type { ByteString, Digest } from "../../base/index.js";
import { limits, malformed, rejected } from "../../base/index.js";
import { parsePaxRecords, parsePaxTime } from "./pax.js";
import { hasTarChecksum, isZeroBlock, readTarNumber, readTarText } from "./tar-fields.js";
import { blockSize } from "./tar-header.js";

/** One member of a tar as its headers say, extension headers taken into account; nothing is checked but the form. */
export interface RawTarEntry {
  /** The type flag: `"0"`, `"5"`, …; old forms of a regular file are `"0"`. */
  readonly flag: string;
  readonly rawName: ByteString;
  readonly rawLink: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 for everything but regular files. */
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly major: number;
  readonly minor: number;
  readonly capability: ByteString | undefined;
  /** Place of the content's first byte in the tar. */
  readonly offset: number;
}

export interface TarScannerOptions {
  /** Name of the tar in messages. */
  readonly subject: string;
  /** Demands the two zero blocks at the end and nothing but zeros after them. */
  readonly strict: boolean;
  readonly onEntry: (entry: RawTarEntry) => void;
}

/** Header-only types: whatever their size field says, no data follows. */
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);
const extensionFlags = new Set(["x", "g", "L", "K"]);

/** Extension headers that stand before a member. */
interface Extensions {
  pax: Map<string, ByteString> | undefined;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
}

/**
 * Reads a tar as a stream: ustar, V7, GNU (long names, base-256 numbers) and PAX. Sparse members are refused. The digest
 * covers every byte pushed, also those after the end of the archive.
 * @throws from `push` and `finish`: malformed `bad-tar`, `bad-pax-record`; rejected `tar-too-large`, `tar-sparse`.
 */
export class TarScanner {
  readonly #options: TarScannerOptions;
  readonly #hash = createHash("sha256");
  readonly #block = Buffer.alloc(blockSize);
  #blockFill = 0;
  #position = 0;
  /** Bytes of content and padding still to be passed over. */
  #skip = 0;
  #extension: { readonly flag: string; readonly data: Buffer; fill: number } | undefined;
  #pending: Extensions = { pax: undefined, longName: undefined, longLink: undefined };
  #zeroBlocks = 0;

  constructor(options: TarScannerOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    if (this.#position + chunk.length > limits.archiveSize) {
      throw rejected({
        code: "tar-too-large",
        message: `expected at most ${limits.archiveSize} bytes in an archive`,
        subject: this.#options.subject,
      });
    }
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length;) {
      const used = this.#step(bytes, at);
      at += used;
      this.#position += used;
    }
  }

  finish(): { readonly digest: Digest; readonly size: number } {
    const inside = this.#blockFill > 0 || this.#skip > 0 || this.#extension !== undefined || this.#hasPending();
    if (this.#zeroBlocks < 2 && (inside || this.#options.strict))
      throw this.#bad("a complete archive", "its end too early");
    return { digest: `sha256:${this.#hash.digest("hex")}`, size: this.#position };
  }

  /** Takes what it can from the bytes at `at`; gives the number of bytes taken, never 0. */
  #step(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    if (this.#zeroBlocks >= 2) return this.#passTrailer(bytes, at);
    if (this.#extension !== undefined) return this.#fillExtension(bytes, at);
    if (this.#skip > 0) {
      const used = Math.min(left, this.#skip);
      this.#skip -= used;
      return used;
    }
    if (this.#blockFill === 0 && left >= blockSize) {
      this.#takeBlock(bytes.subarray(at, at + blockSize), this.#position + blockSize);
      return blockSize;
    }
    const used = Math.min(left, blockSize - this.#blockFill);
    bytes.copy(this.#block, this.#blockFill, at, at + used);
    this.#blockFill += used;
    if (this.#blockFill === blockSize) {
      this.#blockFill = 0;
      this.#takeBlock(this.#block, this.#position + used);
    }
    return used;
  }

  #passTrailer(bytes: Buffer, at: number): number {
    if (this.#options.strict && bytes.subarray(at).some((byte) => byte !== 0)) {
      throw this.#bad("nothing but zeros after the end of the archive", "other bytes");
    }
    return bytes.length - at;
  }

  #fillExtension(bytes: Buffer, at: number): number {
    const extension = this.#extension;
    if (extension === undefined) return 0;
    const used = bytes.copy(extension.data, extension.fill, at);
    extension.fill += used;
    if (extension.fill === extension.data.length) {
      this.#extension = undefined;
      this.#endExtension(extension.flag, extension.data);
    }
    return used;
  }

  #takeBlock(block: Buffer, next: number): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw this.#bad("a second zero block", "a header after one zero block");
    if (!hasTarChecksum(block)) throw this.#bad("a tar header", "a block whose checksum is wrong");
    const flag = String.fromCharCode(block[156] ?? 0);
    if (extensionFlags.has(flag)) this.#beginExtension(flag, this.#number(block, 124, 12, "size"));
    else this.#takeMember(block, flag, next);
  }

  #beginExtension(flag: string, size: number): void {
    if (size < 0 || size > limits.tarExtensionSize) {
      throw this.#bad(`an extension header of at most ${limits.tarExtensionSize} bytes`, `${size}`);
    }
    this.#skip = padding(size);
    if (size === 0) this.#endExtension(flag, Buffer.alloc(0));
    else this.#extension = { flag, data: Buffer.alloc(size), fill: 0 };
  }

  #endExtension(flag: string, data: Buffer): void {
    if (flag === "L") this.#pending.longName = readTarText(data, 0, data.length);
    else if (flag === "K") this.#pending.longLink = readTarText(data, 0, data.length);
    else {
      const records = parsePaxRecords(data, this.#options.subject);
      // Global headers are read and ignored: so do the unpackers of Docker and containerd (IM-33).
      if (flag === "x") this.#pending.pax = records;
    }
  }

  #takeMember(block: Buffer, flag: string, offset: number): void {
    const { pax, longName, longLink } = this.#pending;
    this.#pending = { pax: undefined, longName: undefined, longLink: undefined };
    this.#refuseSparse(flag, pax);
    const isUstar = block.toString("latin1", 257, 262) === "ustar";
    const rawName = longName ?? textRecord(pax, "path") ?? nameOf(block);
    // V7 has no type for folders but the slash.
    const kind = flag !== "\0" ? flag : rawName.endsWith("/") ? "5" : "0";
    const size = withoutData.has(kind) ? 0 : this.#record(pax, "size", this.#number(block, 124, 12, "size"));
    const time = this.#time(block, pax);
    this.#skip = size + padding(size);
    this.#options.onEntry({
      flag: kind,
      rawName,
      rawLink: longLink ?? textRecord(pax, "linkpath") ?? readTarText(block, 157, 100),
      mode: this.#number(block, 100, 8, "mode") & 0o7777,
      uid: this.#record(pax, "uid", this.#number(block, 108, 8, "uid")),
      gid: this.#record(pax, "gid", this.#number(block, 116, 8, "gid")),
      size,
      mtimeSeconds: time.seconds,
      mtimeNanoseconds: time.nanoseconds,
      major: isUstar ? this.#number(block, 329, 8, "devmajor") : 0,
      minor: isUstar ? this.#number(block, 337, 8, "devminor") : 0,
      capability: textRecord(pax, "SCHILY.xattr.security.capability"),
      offset,
    });
  }

  #refuseSparse(flag: string, pax: ReadonlyMap<string, string> | undefined): void {
    if (flag !== "S" && (pax === undefined || ![...pax.keys()].some((key) => key.startsWith("GNU.sparse.")))) return;
    throw rejected({
      code: "tar-sparse",
      message: "expected files that are written in full, found a sparse file",
      subject: this.#options.subject,
      hint: "make the archive again without --sparse",
    });
  }

  #time(block: Buffer, pax: ReadonlyMap<string, string> | undefined): { seconds: number; nanoseconds: number } {
    const raw = textRecord(pax, "mtime");
    if (raw === undefined) return { seconds: this.#signed(block, 136, 12, "mtime"), nanoseconds: 0 };
    const time = parsePaxTime(raw);
    if (time === undefined) throw this.#bad("a time in the PAX record mtime", JSON.stringify(raw.slice(0, 40)));
    return time;
  }

  #record(pax: ReadonlyMap<string, string> | undefined, key: string, otherwise: number): number {
    const raw = textRecord(pax, key);
    if (raw === undefined) return otherwise;
    const value = /^[0-9]{1,16}$/.test(raw) ? Number(raw) : NaN;
    if (!Number.isSafeInteger(value))
      throw this.#bad(`a number in the PAX record ${key}`, JSON.stringify(raw.slice(0, 40)));
    return value;
  }

  #number(block: Buffer, start: number, length: number, field: string): number {
    const value = this.#signed(block, start, length, field);
    if (value < 0) throw this.#bad(`a positive number in the field ${field}`, String(value));
    return value;
  }

  #signed(block: Buffer, start: number, length: number, field: string): number {
    const value = readTarNumber(block, start, length);
    if (value === undefined) {
      throw this.#bad(
        `a number in the field ${field}`,
        JSON.stringify(block.toString("latin1", start, start + length)),
      );
    }
    return value;
  }

  #hasPending(): boolean {
    const { pax, longName, longLink } = this.#pending;
    return pax !== undefined || longName !== undefined || longLink !== undefined;
  }

  #bad(expected: string, found: string): Error {
    return malformed({
      code: "bad-tar",
      message: `expected ${expected}, found ${found} (near byte ${this.#position})`,
      subject: this.#options.subject,
      hint: "the archive is damaged, cut short, or no tar archive",
    });
  }
}

function padding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function nameOf(block: Buffer): ByteString {
  const name = readTarText(block, 0, 100);
  // The prefix field exists in POSIX ustar only; GNU keeps times there, and star cuts it short for its own.
  if (block.toString("latin1", 257, 263) !== "ustar\0") return name;
  const prefix = readTarText(block, 345, block.toString("latin1", 508, 512) === "tar\0" ? 131 : 155);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** A PAX record; an empty value means the ustar field stands. */
function textRecord(pax: ReadonlyMap<string, ByteString> | undefined, key: string): ByteString | undefined {
  const value = pax?.get(key);
  return value === "" ? undefined : value;
}
