/**
 * What a layer must say to turn one tree into another: BuildKit's rules for an overlay's upper folder. A name that was
 * rewritten with the same attributes, size and time is no change; unchanged folders above a change are entries; what
 * vanished is one whiteout for its topmost name.
 */
import type { ByteString } from "../../../base/index.js";
import type { HashedEntry, FileNode, FolderNode, LeafNode, NodeAttributes, TreeNode } from "./file-tree.js";
import { attributesOf, sortedChildren } from "./file-tree.js";

/** Tells whether two files of the same size hold the same bytes. Asked only where times cannot tell. */
export type SameContent = (a: FileNode, b: FileNode) => boolean;

/** The entries, in the order of a walk by path component. */
export function diffTrees(before: FolderNode, after: FolderNode, sameContent: SameContent): HashedEntry[] {
  const differ = new TreeDiffer(sameContent);
  differ.diffFolders(before, after, "");
  return differ.found;
}

class TreeDiffer {
  readonly found: HashedEntry[] = [];
  private readonly firstNames = new Map<LeafNode, ByteString>();

  constructor(private readonly sameContent: SameContent) {}

  diffFolders(before: FolderNode | undefined, after: FolderNode, path: ByteString): void {
    if (before === after) return;
    for (const [name, state] of mergedNames(before, after)) {
      const childPath = path === "" ? name : `${path}/${name}`;
      if (state.after === undefined) this.found.push({ type: "whiteout", path: childPath });
      else this.diffNode(state.before, state.after, childPath);
    }
  }

  private diffNode(before: TreeNode | undefined, after: TreeNode, path: ByteString): void {
    if (after.type === "directory") {
      this.diffFolder(before?.type === "directory" ? before : undefined, after, path);
      return;
    }
    if (before !== undefined && before.type !== "directory" && sameLeaf(before, after, this.sameContent)) return;
    const first = this.firstNames.get(after);
    if (first !== undefined) {
      this.found.push({ ...attributesOf(after), type: "hardlink", path, target: first });
      return;
    }
    this.firstNames.set(after, path);
    this.found.push(entryOf(after, path));
  }

  private diffFolder(before: FolderNode | undefined, after: FolderNode, path: ByteString): void {
    const place = this.found.length;
    this.found.push(entryOf(after, path));
    this.diffFolders(before, after, path);
    const empty = this.found.length === place + 1;
    if (empty && before !== undefined && sameAttributes(before, after)) this.found.pop();
  }
}

function mergedNames(before: FolderNode | undefined, after: FolderNode) {
  const names = new Map<ByteString, { before: TreeNode | undefined; after: TreeNode | undefined }>();
  if (before === undefined) {
    for (const [name, node] of sortedChildren(after)) names.set(name, { before: undefined, after: node });
    return names;
  }
  for (const [name, node] of before.children) {
    const now = after.children.get(name);
    if (now !== node) names.set(name, { before: node, after: now });
  }
  for (const [name, node] of after.children) {
    if (!before.children.has(name)) names.set(name, { before: undefined, after: node });
  }
  return [...names].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Two moments closer than this are one: the tools that set times lose the last digits of the nanoseconds. */
const clockGrain = 1000;

/** Whether BuildKit would take a rewritten file for the one that was there. */
export function sameLeaf(a: LeafNode, b: LeafNode, sameContent: SameContent): boolean {
  if (a.type !== b.type || !sameAttributes(a, b) || !sameTime(a, b)) return false;
  const truncated = a.mtimeNanoseconds === 0 && b.mtimeNanoseconds === 0;
  if (a.type === "file" && b.type === "file") return a.size === b.size && (!truncated || sameContent(a, b));
  if (a.type === "symlink" && b.type === "symlink") {
    return a.target.length === b.target.length && (!truncated || a.target === b.target);
  }
  if ((a.type === "character" || a.type === "block") && (b.type === "character" || b.type === "block")) {
    return a.major === b.major && a.minor === b.minor;
  }
  return true;
}

function sameTime(a: NodeAttributes, b: NodeAttributes): boolean {
  if ((a.mtimeNanoseconds === 0) !== (b.mtimeNanoseconds === 0)) return false;
  const seconds = a.mtimeSeconds - b.mtimeSeconds;
  if (Math.abs(seconds) > 1) return false;
  return Math.abs(seconds * 1e9 + a.mtimeNanoseconds - b.mtimeNanoseconds) < clockGrain;
}

export function sameAttributes(a: NodeAttributes, b: NodeAttributes): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && capability(a) === capability(b);
}

function capability(node: NodeAttributes): string | undefined {
  return node.xattrs?.["security.capability"];
}

/** The entry that makes this node; a folder without what it holds. */
export function entryOf(node: TreeNode, path: ByteString): HashedEntry {
  const common = { ...attributesOf(node), path };
  switch (node.type) {
    case "directory":
    case "fifo":
      return { ...common, type: node.type };
    case "file": {
      const file = { ...common, type: "file" as const, size: node.size, content: node.content };
      return node.sha256 === undefined ? file : { ...file, sha256: node.sha256 };
    }
    case "symlink":
      return { ...common, type: "symlink", target: node.target };
    case "character":
    case "block":
      return { ...common, type: node.type, major: node.major, minor: node.minor };
  }
}
