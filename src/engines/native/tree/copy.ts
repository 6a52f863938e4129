/**
 * COPY, ADD and WORKDIR on trees: the semantics of BuildKit's file operations (its fsutil copy), found by reading what
 * it does and by the parity suite. Nothing is read or written here: content travels by reference.
 */
import type { ByteString } from "../../../base/index.js";
import { rejected } from "../../../base/index.js";
import type { Content } from "../../../oci/index.js";
import type { DraftTree } from "./draft-tree.js";
import type { FolderNode, LeafNode, NodeAttributes, TreeNode } from "./file-tree.js";
import { attributesOf, emptyTree, madeFolder, nodeAt, resolvePath, sortedChildren, splitPath } from "./file-tree.js";

/** A user and group by number, resolved from `--chown`. */
export interface OwnerIds {
  readonly uid: number;
  readonly gid: number;
}

export interface CopyOptions {
  readonly owner: OwnerIds | undefined;
  /** `--chmod`: 0 to 0o7777. */
  readonly mode: number | undefined;
  /** Whether a path, relative to the source, is left out; `undefined` takes everything. */
  readonly excluded: ((path: ByteString, folder: boolean) => boolean) | undefined;
}

const defaultFolderMode = 0o755;

function folderFor(owner: OwnerIds | undefined, mode = defaultFolderMode): NodeAttributes {
  return { mode, uid: owner?.uid ?? 0, gid: owner?.gid ?? 0, ...madeFolder };
}

/** `mkdir -p`, links followed inside the root. Existing folders are left as they are. */
export function makeFolder(draft: DraftTree, path: ByteString, owner: OwnerIds | undefined, mode: number): void {
  draft.makeFolders(draft.resolve(path), folderFor(owner, mode));
}

/** A tree that holds one file at its root: the form in which a heredoc or a download is copied. */
export function singleFileTree(name: ByteString, size: number, content: Content, mode: number): FolderNode {
  const file: TreeNode = { type: "file", mode, uid: 0, gid: 0, ...madeFolder, size, content };
  return { ...emptyTree, children: new Map([[name, file]]) };
}

/**
 * Copies one path of `source` to `destination`, as `cp -a` into a place that is made when missing. A folder gives what
 * it holds, not itself; a link given as the source is followed; a file goes into a destination that is a folder.
 * @throws rejected `source-missing`, `folder-over-file`, `file-over-folder`, `not-a-folder`
 */
export function copyPath(
  draft: DraftTree,
  source: FolderNode,
  sourcePath: ByteString,
  destination: ByteString,
  options: CopyOptions,
): void {
  const followed = resolvePath(source, sourcePath);
  const node = nodeAt(source, followed);
  if (node === undefined) throw sourceMissing(sourcePath);
  const parts = prepareDestination(draft, node, sourcePath, destination, options);
  new TreeCopier(draft, options).copyTop(node, parts);
}

export function sourceMissing(path: ByteString): Error {
  return rejected({
    code: "source-missing",
    message: "the source of a COPY or ADD is not there",
    subject: path,
    hint: "check the spelling, the context and .dockerignore",
  });
}

function prepareDestination(
  draft: DraftTree,
  node: TreeNode,
  sourcePath: ByteString,
  destination: ByteString,
  options: CopyOptions,
): readonly ByteString[] {
  const last = destination.slice(destination.lastIndexOf("/") + 1);
  const ensured = last === "" || last === "." ? destination : destination.slice(0, -last.length);
  makeFolder(draft, ensured, options.owner, defaultFolderMode);
  let parts = draft.resolve(destination);
  const missing = draft.get(parts) === undefined;
  if (node.type !== "directory" && draft.hasFolder(parts)) {
    parts = [...parts, splitPath(sourcePath).at(-1) ?? ""];
  }
  const wanted = node.type === "directory" && missing ? parts : parts.slice(0, -1);
  draft.makeFolders(wanted, folderFor(options.owner));
  return parts;
}

class TreeCopier {
  private readonly copies = new Map<LeafNode, LeafNode>();

  constructor(
    readonly draft: DraftTree,
    private readonly options: CopyOptions,
  ) {}

  copyTop(node: TreeNode, target: readonly ByteString[]): void {
    if (node.type !== "directory") {
      this.copyLeaf(node, target);
      return;
    }
    this.requireFolder(target);
    this.copyChildren(node, target, "");
  }

  private copyChildren(folder: FolderNode, target: readonly ByteString[], relative: ByteString): void {
    for (const [name, child] of sortedChildren(folder)) {
      const path = relative === "" ? name : `${relative}/${name}`;
      if (this.options.excluded?.(path, child.type === "directory") === true) continue;
      const place = [...target, name];
      if (child.type !== "directory") {
        this.copyLeaf(child, place);
        continue;
      }
      if (this.draft.get(place) !== undefined) this.requireFolder(place);
      this.draft.putFolder(place, this.attributesFor(child));
      this.copyChildren(child, place, path);
    }
  }

  private requireFolder(target: readonly ByteString[]): void {
    if (target.length === 0 || this.draft.hasFolder(target)) return;
    throw rejected({
      code: "folder-over-file",
      message: "a folder cannot be copied over something that is no folder",
      subject: `/${target.join("/")}`,
    });
  }

  private copyLeaf(node: LeafNode, target: readonly ByteString[]): void {
    if (this.draft.hasFolder(target)) {
      throw rejected({
        code: "file-over-folder",
        message: "a file cannot be copied over a folder",
        subject: `/${target.join("/")}`,
      });
    }
    let copy = this.copies.get(node);
    if (copy === undefined) {
      copy = { ...node, ...this.attributesFor(node) };
      this.copies.set(node, copy);
    }
    this.draft.put(target, copy);
  }

  private attributesFor(node: TreeNode): NodeAttributes {
    const { owner, mode } = this.options;
    const wanted = mode === undefined || node.type === "symlink" ? node.mode : mode;
    return { ...attributesOf(node), mode: wanted, uid: owner?.uid ?? node.uid, gid: owner?.gid ?? node.gid };
  }
}
