/** Order of two byte strings: -1, 0 or 1, as memcmp then length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Order of two texts by the bytes of their UTF-8 form, never by locale. For `Array.sort`. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order differs from UTF-8 order only where surrogates meet U+E000 and above.
  return hasSurrogate(a) || hasSurrogate(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

function hasSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/**
 * A path or name as the kernel gives it: bytes, one in each UTF-16 code unit (what Node calls `latin1`). File names
 * need not be UTF-8; in this form none is lost, and the order of code units is the order of bytes.
 */
export type ByteString = string;

export function toByteString(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function fromByteString(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Order of two byte strings. For `Array.sort`. */
export function compareByteStrings(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
