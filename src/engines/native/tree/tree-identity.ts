/** Names for what a source holds, for cache keys: equal names mean that a step that reads it does the same. */
import type { ByteString, Json } from "../../../base/index.js";
import { digestOf, hexOf } from "../../../base/index.js";
import type { ContentHasher } from "./content.js";
import { imageEpochSeconds } from "../store/layer-store.js";
import type { FolderNode, HashedEntry, NodeAttributes } from "./file-tree.js";
import { emptyTree, nodeAt, resolvePath } from "./file-tree.js";
import { diffTrees } from "./tree-diff.js";

/**
 * The path, with what it ends at when links are followed: attributes, names and content. Of times it has what a
 * layer keeps: all up to the epoch of images, and of later ones that they are later.
 */
export function treeIdentity(tree: FolderNode, path: ByteString, hasher: ContentHasher): Json {
  const node = nodeAt(tree, resolvePath(tree, path));
  if (node === undefined) return [path];
  if (node.type === "file") {
    return [path, node.mode, node.uid, node.gid, keptSeconds(node), node.xattrs ?? null, hasher.hashOf(node)];
  }
  const top: FolderNode = { ...emptyTree, children: new Map([["source", node]]) };
  const entries = diffTrees(emptyTree, top, () => false).map((entry) => hashed(entry, hasher));
  return [path, hexOf(digestOf(entries.map(timeless).join("\n")))];
}

function keptSeconds(node: NodeAttributes): number {
  return Math.min(node.mtimeSeconds, imageEpochSeconds);
}

function hashed(entry: HashedEntry, hasher: ContentHasher): HashedEntry {
  return entry.type === "file" ? { ...entry, sha256: hasher.hashOf(entry) } : entry;
}

function timeless(entry: HashedEntry): string {
  if (entry.type === "whiteout") return JSON.stringify(entry);
  const { mtimeSeconds: _seconds, mtimeNanoseconds: _nanoseconds, ...attributes } = entry;
  const rest = { ...attributes, keptSeconds: keptSeconds(entry) };
  if (rest.type !== "file") return JSON.stringify(rest);
  const { content: _content, ...known } = rest;
  return JSON.stringify(known);
}
