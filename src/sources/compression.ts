/** The compressions that ADD undoes. */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Bytes that {@link detectCompression} looks at. */
export const compressionHeadSize = 10;

/**
 * The compression of a file by its first bytes. Nothing else is one: not lzma, lzip, compress or zip. A zstd stream may
 * begin with a skippable frame (RFC 8878 section 3.1.2).
 */
export function detectCompression(head: Uint8Array): Compression {
  for (const [compression, magic] of magics) {
    if (head.length >= magic.length && magic.every((byte, index) => head[index] === byte)) return compression;
  }
  const isSkippable = head.length >= 8 && ((head[0] ?? 0) & 0xf0) === 0x50;
  return isSkippable && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18 ? "zstd" : "none";
}
