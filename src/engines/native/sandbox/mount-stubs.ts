/**
 * Mount points that did not exist. The runtime makes them in the root filesystem; BuildKit takes them away again when
 * nothing was put there, and so do we.
 */
import type { ByteString, FileSystem } from "../../../base/index.js";
import { systemErrorCode, toByteString } from "../../../base/index.js";
import type { FolderNode } from "../tree/file-tree.js";
import { nodeAt, resolvePath } from "../tree/file-tree.js";

/** Paths (of components) that are missing for these destinations, the deepest first. */
export function missingMountPoints(root: FolderNode, destinations: readonly string[]): ByteString[][] {
  const missing = new Map<string, ByteString[]>();
  for (const destination of destinations) {
    const parts = resolvePath(root, toByteString(destination));
    for (let length = parts.length; length > 0; length--) {
      const prefix = parts.slice(0, length);
      if (nodeAt(root, prefix) !== undefined) break;
      missing.set(prefix.join("/"), prefix);
    }
  }
  return [...missing.values()].sort((a, b) => b.length - a.length);
}

/**
 * Removes those of the paths that are still empty from an upper folder that nothing uses any more. A step may have put
 * a link in place of a folder above a mount point, to have us remove something of the machine: links are not followed.
 */
export function removeStubs(upper: string, stubs: readonly (readonly ByteString[])[], files: FileSystem): void {
  const root = toByteString(upper);
  for (const parts of stubs) {
    if (!isBelowFolders(root, parts, files)) continue;
    const path = Buffer.from([root, ...parts].join("/"), "latin1");
    const stat = files.lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isFile() && stat.size === 0) files.unlinkSync(path);
    else if (stat.isDirectory()) removeEmpty(path, files);
  }
}

function isBelowFolders(root: ByteString, parts: readonly ByteString[], files: FileSystem): boolean {
  return parts.slice(0, -1).every((_, index) => {
    const above = Buffer.from([root, ...parts.slice(0, index + 1)].join("/"), "latin1");
    return files.lstatSync(above, { throwIfNoEntry: false })?.isDirectory() === true;
  });
}

function removeEmpty(path: Buffer, files: FileSystem): void {
  try {
    files.rmdirSync(path);
  } catch (thrown) {
    if (systemErrorCode(thrown) !== "ENOTEMPTY") throw thrown; // the step put something there: it stays
  }
}
