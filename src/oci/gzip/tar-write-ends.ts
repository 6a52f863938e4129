import { Buffer } from "node:buffer";

import { limits } from "../../base/index.js";
import { parsePaxRecords } from "../layer/pax.js";
import { hasTarChecksum, isZeroBlock, readTarNumber } from "../layer/tar-fields.js";

const blockSize = 512;
/** Members of these types have no data, whatever their size field says: links, devices, folders, pipes. */
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);

/**
 * Finds where Go's tar writer ended a write that is no multiple of 512 bytes long (GZ-7): after the content of a file
 * and after the records of an extension header, before the padding. It follows any bytes; from the first block that is
 * no tar header on it finds nothing more.
 */
export class TarWriteEnds {
  readonly #block = Buffer.alloc(blockSize);
  #blockFill = 0;
  /** Data of the present member still to come, then its padding. */
  #data = 0;
  #padding = 0;
  /** Records of a PAX header, whose size of the next member goes over that member's own field. */
  #records: number[] | undefined;
  #nextSize: number | undefined;
  #lost = false;

  /** Passes over `chunk`, the next bytes of the tar; `onEnd` gets the offset in it of each end, in order. */
  push(chunk: Uint8Array, onEnd: (offset: number) => void): void {
    let at = 0;
    while (at < chunk.length && !this.#lost) {
      if (this.#data > 0) {
        const length = Math.min(this.#data, chunk.length - at);
        this.#passData(chunk, at, length);
        at += length;
        if (this.#data === 0 && this.#padding > 0) onEnd(at);
      } else if (this.#padding > 0) {
        const length = Math.min(this.#padding, chunk.length - at);
        this.#padding -= length;
        at += length;
      } else {
        at += this.#takeHeader(chunk, at);
      }
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const length = Math.min(blockSize - this.#blockFill, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + length), this.#blockFill);
    this.#blockFill += length;
    if (this.#blockFill === blockSize) {
      this.#blockFill = 0;
      this.#readHeader();
    }
    return length;
  }

  #readHeader(): void {
    if (isZeroBlock(this.#block)) return;
    const flag = String.fromCharCode(this.#block[156] ?? 0);
    const stated = readTarNumber(this.#block, 124, 12);
    if (stated === undefined || stated < 0 || !hasTarChecksum(this.#block)) {
      this.#lost = true;
      return;
    }
    if (flag === "x") {
      this.#lost = stated > limits.tarExtensionSize;
      this.#records = [];
      this.#data = stated;
    } else {
      this.#data = withoutData.has(flag) ? 0 : (this.#nextSize ?? stated);
      if (flag !== "g" && flag !== "L" && flag !== "K") this.#nextSize = undefined;
    }
    this.#padding = (blockSize - (this.#data % blockSize)) % blockSize;
  }

  #passData(chunk: Uint8Array, at: number, length: number): void {
    this.#data -= length;
    if (this.#records === undefined) return;
    for (let i = at; i < at + length; i++) this.#records.push(chunk[i] ?? 0);
    if (this.#data > 0) return;
    this.#nextSize = this.#readSize(Uint8Array.from(this.#records));
    this.#records = undefined;
  }

  #readSize(records: Uint8Array): number | undefined {
    try {
      const raw = parsePaxRecords(records, "PAX header").get("size");
      return raw !== undefined && /^[0-9]{1,15}$/.test(raw) ? Number(raw) : undefined;
    } catch {
      // Records that are none make this something else than a tar: nothing to follow, and no fault of the compressor.
      this.#lost = true;
      return undefined;
    }
  }
}
