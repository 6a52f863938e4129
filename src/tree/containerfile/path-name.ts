import { isUtf8 } from "node:buffer";

import type { ByteString } from "../../base/index.js";

/**
 * The characters of a file name, as patterns see them: UTF-8 decoded, and each byte that is no UTF-8 a character of its
 * own (a lone surrogate, which no pattern holds), as Go does.
 */
export function decodeName(name: ByteString): string {
  if (!/[\u0080-\u00ff]/.test(name)) return name;
  const bytes = Buffer.from(name, "latin1");
  return isUtf8(bytes) ? bytes.toString() : decodeBroken(bytes);
}

const firstLoneSurrogate = 0xdc00;
const longestSequence = 4;

function decodeBroken(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(firstLoneSurrogate + (bytes[at] ?? 0))
        : bytes.subarray(at, at + length).toString();
    at += Math.max(1, length);
  }
  return text;
}

/** Bytes of the valid sequence that begins at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= longestSequence && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
