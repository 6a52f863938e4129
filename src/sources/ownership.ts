import * as posix from "node:path/posix";

import { systemErrorCode } from "../base/index.js";
import type { FileSystem } from "../base/index.js";

const writableByOthers = 0o022;
const sticky = 0o1000;

/**
 * Whether nobody but `uid` (and root) can change what stands at `path`, which must exist: the file or folder is the
 * user's own and no folder above it lets another rename it away. A sticky folder (`/tmp`) does not.
 */
export function isExclusive(files: FileSystem, path: string, uid: number): boolean {
  try {
    const own = files.lstatSync(path);
    if (own.isSymbolicLink() || own.uid !== uid || (own.mode & writableByOthers) !== 0) return false;
    let above = posix.dirname(files.realpathSync(path));
    for (;;) {
      const folder = files.lstatSync(above);
      const isOpen = (folder.mode & writableByOthers) !== 0 && (folder.mode & sticky) === 0;
      if (isOpen || (folder.uid !== uid && folder.uid !== 0)) return false;
      if (above === "/") return true;
      above = posix.dirname(above);
    }
  } catch (cause) {
    // Not ours, if we may not even look.
    if (systemErrorCode(cause) !== undefined) return false;
    throw cause;
  }
}
