import type { ByteString } from "../../base/index.js";
import type { LayerEntry } from "./entry.js";

const slash = 0x2f;

/**
 * The order of a layer (IM-20): a walk by path component, each folder before what is in it, siblings by bytes. It is the
 * byte order of the paths with `/` below every other byte, so `a`, `a/x`, `a-b`, `a.txt`. Whiteouts stand where the
 * name that vanished would.
 */
export function compareLayerPaths(a: ByteString, b: ByteString): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    if (left === slash) return -1;
    if (right === slash) return 1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** The entries in the order of a layer; the input stays as it is. */
export function layerOrder<T extends LayerEntry>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => compareLayerPaths(a.path, b.path));
}
