/** A tree while it is edited: folders are opened (copied) when first touched, all others stay shared with the base. */
import type { ByteString } from "../../../base/index.js";
import { rejected } from "../../../base/index.js";
import type { NodeEntry } from "../../../oci/index.js";
import type { FolderNode, HashedEntry, NodeAttributes, TreeNode } from "./file-tree.js";
import { attributesOf, emptyTree, followLinks } from "./file-tree.js";

class DraftFolder {
  readonly type = "draft";
  constructor(
    public attributes: NodeAttributes,
    readonly children: Map<ByteString, TreeNode | DraftFolder>,
  ) {}
}

/** A leaf or unopened folder as it stands, or what is known of a folder that was opened. */
export type DraftView = TreeNode | { readonly type: "draft"; readonly attributes: NodeAttributes };

export class DraftTree {
  private readonly root: DraftFolder;

  constructor(base: FolderNode) {
    this.root = opened(base);
  }

  /** The node at plain components (no link is followed), or undefined. */
  get(parts: readonly ByteString[]): DraftView | undefined {
    let node: TreeNode | DraftFolder | undefined = this.root;
    for (const part of parts) {
      if (node === undefined || !("children" in node)) return undefined;
      node = node.children.get(part);
    }
    return node;
  }

  /** Where a path ends when links are followed, as `resolvePath` says of a tree. @throws rejected `too-many-links` */
  resolve(path: ByteString): ByteString[] {
    return followLinks((parts) => this.get(parts), path);
  }

  /** Whether there is a folder at plain components. */
  hasFolder(parts: readonly ByteString[]): boolean {
    const node = this.get(parts);
    return node?.type === "directory" || node?.type === "draft";
  }

  /**
   * Puts a leaf, or a folder with all that it holds; what was there goes.
   * @throws rejected `not-a-folder` when a component on the way is missing or no folder.
   */
  put(parts: readonly ByteString[], node: TreeNode): void {
    const name = parts.at(-1);
    if (name !== undefined) this.open(parts.slice(0, -1)).children.set(name, node);
  }

  remove(parts: readonly ByteString[]): void {
    const name = parts.at(-1);
    if (name !== undefined) this.open(parts.slice(0, -1)).children.delete(name);
  }

  /** Makes a folder, or gives an existing one these attributes; a leaf in its place goes. */
  putFolder(parts: readonly ByteString[], attributes: NodeAttributes): void {
    const name = parts.at(-1);
    if (name === undefined) {
      this.root.attributes = attributes;
      return;
    }
    if (this.hasFolder(parts)) this.open(parts).attributes = attributes;
    else this.open(parts.slice(0, -1)).children.set(name, new DraftFolder(attributes, new Map()));
  }

  /** Makes the folders that are missing on the way to `parts`, the last one too. Existing ones keep their attributes. */
  makeFolders(parts: readonly ByteString[], attributes: NodeAttributes): void {
    for (let length = 1; length <= parts.length; length++) {
      const prefix = parts.slice(0, length);
      const node = this.get(prefix);
      if (node === undefined) this.putFolder(prefix, attributes);
      else if (node.type !== "directory" && node.type !== "draft") throw notAFolder(prefix);
    }
  }

  freeze(): FolderNode {
    return frozen(this.root);
  }

  private open(parts: readonly ByteString[]): DraftFolder {
    let folder = this.root;
    for (const part of parts) {
      let child = folder.children.get(part);
      if (!(child instanceof DraftFolder)) {
        if (child?.type !== "directory") throw notAFolder(parts);
        child = opened(child);
        folder.children.set(part, child);
      }
      folder = child;
    }
    return folder;
  }
}

function opened(folder: FolderNode): DraftFolder {
  return new DraftFolder(attributesOf(folder), new Map(folder.children));
}

function frozen(folder: DraftFolder): FolderNode {
  const children = new Map<ByteString, TreeNode>();
  for (const [name, child] of folder.children) {
    children.set(name, child instanceof DraftFolder ? frozen(child) : child);
  }
  return { ...folder.attributes, type: "directory", children };
}

function notAFolder(parts: readonly ByteString[]): Error {
  return rejected({
    code: "not-a-folder",
    message: "expected a folder at this path of the image, found nothing or something else",
    subject: `/${parts.join("/")}`,
  });
}

/**
 * The tree after a layer. A folder must precede what it holds and a first name its hard links; folders that no entry
 * names are made.
 * @throws rejected `not-a-folder`, `bad-hardlink`
 */
export function applyLayer(base: FolderNode, entries: Iterable<HashedEntry>): FolderNode {
  const draft = new DraftTree(base);
  for (const entry of entries) {
    const parts = entry.path.split("/");
    draft.makeFolders(parts.slice(0, -1), attributesOf(emptyTree));
    if (entry.type === "whiteout") draft.remove(parts);
    else if (entry.type === "directory") draft.putFolder(parts, attributesOf(entry));
    else draft.put(parts, leafOf(draft, entry));
  }
  return draft.freeze();
}

function leafOf(draft: DraftTree, entry: Exclude<NodeEntry, { type: "directory" }> & { sha256?: string }): TreeNode {
  const attributes = attributesOf(entry);
  switch (entry.type) {
    case "hardlink": {
      const node = draft.get(entry.target.split("/"));
      if (node === undefined || node.type === "draft" || node.type === "directory") throw badLink(entry);
      return node;
    }
    case "file": {
      const { size, content, sha256 } = entry;
      const file = { ...attributes, type: "file" as const, size, content };
      return sha256 === undefined ? file : { ...file, sha256 };
    }
    case "symlink":
      return { ...attributes, type: "symlink", target: entry.target };
    case "character":
    case "block":
      return { ...attributes, type: entry.type, major: entry.major, minor: entry.minor };
    case "fifo":
      return { ...attributes, type: "fifo" };
  }
}

function badLink(entry: { readonly path: ByteString; readonly target: ByteString }): Error {
  return rejected({
    code: "bad-hardlink",
    message: `the hard link names ${entry.target}, which is no file of the layers so far`,
    subject: entry.path,
  });
}
