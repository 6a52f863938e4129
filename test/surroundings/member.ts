import type { Image } from "../parity/image.js";

/** The content of a plain file with a short name in the last layer of an image. @throws when it is not there. */
export function readMember(image: Pick<Image, "layers">, name: string): Buffer {
  const tar = image.layers.at(-1)?.tar ?? Buffer.alloc(0);
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    const found = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (found === name) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`no file ${name} in the last layer`);
}
