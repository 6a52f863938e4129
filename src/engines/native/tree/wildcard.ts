/** The paths that a COPY source with wildcards means. */
import type { ByteString } from "../../../base/index.js";
import { fromByteString } from "../../../base/index.js";
import { createPathMatcher } from "../../../graph/index.js";
import type { FolderNode, TreeNode } from "./file-tree.js";
import { nodeAt, resolvePath, sortedChildren, splitPath } from "./file-tree.js";

/** Whether Go's path patterns see a wildcard: `*`, `?` or `[` that no backslash escapes. */
export function hasWildcard(part: ByteString): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(part);
}

/**
 * Paths inside `source`, in the order of a walk. A pattern without wildcards is its own and only match, whether it is
 * there or not; one with wildcards may match nothing. `*` does not cross a slash.
 */
export function resolveWildcards(source: FolderNode, pattern: ByteString): ByteString[] {
  const parts = splitPath(pattern);
  const first = parts.findIndex(hasWildcard);
  if (first < 0) return [pattern];
  const base = resolvePath(source, parts.slice(0, first).join("/"));
  const folder = nodeAt(source, base);
  const found: ByteString[] = [];
  if (folder?.type === "directory") walkMatches(folder, base, parts.slice(first), found);
  return found;
}

function walkMatches(
  folder: FolderNode,
  path: readonly ByteString[],
  patterns: readonly ByteString[],
  found: ByteString[],
): void {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) return;
  const matches = createPathMatcher(fromByteString(pattern));
  for (const [name, child] of sortedChildren(folder)) {
    if (!matches(name)) continue;
    const childPath = [...path, name];
    if (rest.length === 0) found.push(`/${childPath.join("/")}`);
    else if (isFolder(child)) walkMatches(child, childPath, rest, found);
  }
}

function isFolder(node: TreeNode): node is FolderNode {
  return node.type === "directory";
}
