/**
 * A root filesystem as a value. Nodes are never changed after they are made: an edit makes new folders along its path
 * and shares the rest, so that a snapshot costs nothing and the difference of two trees is found by identity.
 * Two names of one file (hard links) are the same object.
 */
import type { ByteString } from "../../../base/index.js";
import { compareByteStrings, limits, rejected } from "../../../base/index.js";
import type { Content, LayerEntry } from "../../../oci/index.js";

export interface NodeAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly xattrs?: Readonly<Record<string, ByteString>>;
}

export interface FolderNode extends NodeAttributes {
  readonly type: "directory";
  readonly children: ReadonlyMap<ByteString, TreeNode>;
}
export interface FileNode extends NodeAttributes {
  readonly type: "file";
  readonly size: number;
  /** SHA-256 of the content in hexadecimal, where it is known already. */
  readonly sha256?: string;
  readonly content: Content;
}
export interface SymlinkNode extends NodeAttributes {
  readonly type: "symlink";
  readonly target: ByteString;
}
export interface DeviceNode extends NodeAttributes {
  readonly type: "character" | "block";
  readonly major: number;
  readonly minor: number;
}
export interface FifoNode extends NodeAttributes {
  readonly type: "fifo";
}
export type LeafNode = FileNode | SymlinkNode | DeviceNode | FifoNode;
export type TreeNode = FolderNode | LeafNode;

/** Folders that we make ourselves have this time: any moment after the epoch comes out the same in a layer. */
export const madeFolder: Omit<NodeAttributes, "mode" | "uid" | "gid"> = { mtimeSeconds: 1, mtimeNanoseconds: 0 };

export const emptyTree: FolderNode = {
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...madeFolder,
  children: new Map(),
};

/** The components of a path; empty ones and `.` vanish, `..` stays. */
export function splitPath(path: ByteString): ByteString[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The node at a path of plain components (no link is followed), or undefined. */
export function nodeAt(root: FolderNode, parts: readonly ByteString[]): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of parts) {
    if (node?.type !== "directory") return undefined;
    node = node.children.get(part);
  }
  return node;
}

/** The children of a folder in the order of their bytes. */
export function sortedChildren(folder: FolderNode): [ByteString, TreeNode][] {
  return [...folder.children].sort(([a], [b]) => compareByteStrings(a, b));
}

/** What following links needs to know of the place at plain components. */
export type LookUp = (
  parts: readonly ByteString[],
) => { readonly type: string; readonly target?: ByteString } | undefined;

/** {@link followLinks} in a tree. */
export function resolvePath(root: FolderNode, path: ByteString): ByteString[] {
  return followLinks((parts) => nodeAt(root, parts), path);
}

/**
 * Where a path ends when every symbolic link on it, the last one too, is followed inside the root; what does not exist
 * is kept as written. The result has no `..` and never leaves the root.
 * @throws rejected `too-many-links`
 */
export function followLinks(lookUp: LookUp, path: ByteString): ByteString[] {
  const pending = splitPath(path).reverse();
  const resolved: ByteString[] = [];
  let followed = 0;
  while (pending.length > 0) {
    const part = pending.pop();
    if (part === undefined) break;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    resolved.push(part);
    const node = lookUp(resolved);
    if (node?.type !== "symlink" || node.target === undefined) continue;
    if (++followed > limits.symlinks) {
      throw rejected({ code: "too-many-links", message: "too many symbolic links on the way", subject: path });
    }
    resolved.pop();
    if (node.target.startsWith("/")) resolved.length = 0;
    pending.push(...splitPath(node.target).reverse());
  }
  return resolved;
}

/** One entry of a layer with the SHA-256 of its content, where it is a file. */
export type HashedEntry = LayerEntry & { readonly sha256?: string };

/** The attributes of a node and nothing else of it. */
export function attributesOf(node: NodeAttributes): NodeAttributes {
  const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs } = node;
  const common = { mode, uid, gid, mtimeSeconds, mtimeNanoseconds };
  return xattrs === undefined ? common : { ...common, xattrs };
}
