import { messageOf, systemErrorCode } from "../base/index.js";

import type { TreeFileSystem } from "./list-packages.js";
import type { Problem } from "./problem.js";

/** A regular file of the tree, not yet read. */
export interface TreeFile {
  /** Relative to the tree's root. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Size, times of change and inode: what must differ when the content differs, except for a change within the
   * clock's grain (see {@link changedAt}).
   */
  readonly signature: string;
  /** The later of the two times of change, in milliseconds since the epoch. */
  readonly changedAt: number;
}

/** What stands at a path of the tree: a file, nothing, or something that is refused. */
export type TreeFileLook = { readonly file: TreeFile } | { readonly missing: true } | { readonly problem: Problem };

/** Looks at a path without following a link at its end. */
export function lookAtTreeFile(fs: TreeFileSystem, root: string, path: string, sizeLimit: number): TreeFileLook {
  try {
    const stat = fs.lstatSync(`${root}/${path}`, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return { missing: true };
    // A device or pipe could block the reader for ever, a link could lead out of the tree.
    if (!stat.isFile()) return { problem: refused(path, "not-a-file", "expected a regular file, found another kind") };
    const size = Number(stat.size);
    if (size > sizeLimit) {
      const message = `expected at most ${String(sizeLimit)} bytes, found ${String(size)}`;
      return { problem: refused(path, "file-too-large", message) };
    }
    const signature = [stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].join(".");
    return { file: { path, size, signature, changedAt: Math.max(Number(stat.mtimeMs), Number(stat.ctimeMs)) } };
  } catch (thrown) {
    return { problem: unreadable(path, thrown) };
  }
}

/**
 * The content of a file that was looked at, or why it cannot be had: its text, or its bytes where they are no UTF-8, so that
 * whoever parses them can say so.
 */
export function readTreeFile(
  fs: TreeFileSystem,
  root: string,
  file: TreeFile,
): { readonly content: string | Buffer } | { readonly problem: Problem } {
  try {
    // Reading text is one call into Node where reading bytes is four, and a tree has a thousand files.
    const text = fs.readFileSync(`${root}/${file.path}`, "utf8");
    return { content: text.includes("\ufffd") ? fs.readFileSync(`${root}/${file.path}`) : text };
  } catch (thrown) {
    return { problem: unreadable(file.path, thrown) };
  }
}

function unreadable(path: string, thrown: unknown): Problem {
  return refused(path, "unreadable", `cannot read the file: ${systemErrorCode(thrown) ?? messageOf(thrown)}`);
}

function refused(path: string, rule: string, message: string): Problem {
  const hint = rule === "unreadable" ? "see its owner and mode" : "put a plain file of moderate size here";
  return { rule, severity: "error", file: path, line: 1, column: 1, message, hint };
}
