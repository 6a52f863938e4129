/** Trees of the native engine in a short form, for tests: names to text (a file), `-> TARGET` links, folders and more. */
import { createHash } from "node:crypto";

import type { FolderNode, LeafNode, NodeAttributes, TreeNode } from "../../src/engines/native/tree/file-tree.js";
import { sortedChildren } from "../../src/engines/native/tree/file-tree.js";

export interface TreeShape {
  readonly [name: string]: string | TreeShape | TreeNode;
}

export const plain: NodeAttributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1000, mtimeNanoseconds: 500 };

export function file(text: string, attributes: Partial<NodeAttributes> = {}): LeafNode {
  const data = Buffer.from(text, "latin1");
  const sha256 = createHash("sha256").update(data).digest("hex");
  return { ...plain, ...attributes, type: "file", size: data.length, sha256, content: { kind: "bytes", data } };
}

export function link(target: string): LeafNode {
  return { ...plain, mode: 0o777, type: "symlink", target };
}

export function folder(shape: TreeShape, attributes: Partial<NodeAttributes> = {}): FolderNode {
  const children = new Map<string, TreeNode>();
  for (const [name, value] of Object.entries(shape)) children.set(name, nodeOf(value));
  return { ...plain, mode: 0o755, ...attributes, type: "directory", children };
}

function nodeOf(value: string | TreeShape | TreeNode): TreeNode {
  if (typeof value === "string") return value.startsWith("-> ") ? link(value.slice(3)) : file(value);
  if (typeof value["type"] === "string" && "mtimeSeconds" in value) return value as TreeNode;
  return folder(value);
}

/** One line for each node: path, type letter, mode, owner and what it holds. Hard links carry the first name. */
export function listing(tree: FolderNode): string[] {
  const firstNames = new Map<LeafNode, string>();
  const lines: string[] = [];
  const walk = (node: FolderNode, path: string): void => {
    for (const [name, child] of sortedChildren(node)) {
      const childPath = `${path}/${name}`;
      lines.push(line(child, childPath, firstNames));
      if (child.type === "directory") walk(child, childPath);
      else if (!firstNames.has(child)) firstNames.set(child, childPath);
    }
  };
  walk(tree, "");
  return lines;
}

function line(node: TreeNode, path: string, firstNames: ReadonlyMap<LeafNode, string>): string {
  const first = node.type === "directory" ? undefined : firstNames.get(node);
  const owner = node.uid === 0 && node.gid === 0 ? "" : ` ${String(node.uid)}:${String(node.gid)}`;
  const what = first === undefined ? holds(node) : ` = ${first}`;
  return `${path} ${node.mode.toString(8)}${owner}${what}`;
}

function holds(node: TreeNode): string {
  switch (node.type) {
    case "directory":
      return " /";
    case "file":
      return node.content.kind === "bytes"
        ? ` ${JSON.stringify(Buffer.from(node.content.data).toString("latin1"))}`
        : " …";
    case "symlink":
      return ` -> ${node.target}`;
    case "character":
    case "block":
      return ` ${node.type} ${String(node.major)},${String(node.minor)}`;
    case "fifo":
      return " fifo";
  }
}
