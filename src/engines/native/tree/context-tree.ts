/** A folder of the machine as a tree: what BuildKit's client would send as the build context. */
import type { BigIntStats } from "node:fs";

import type { ByteString, FileSystem } from "../../../base/index.js";
import { compareByteStrings, limits, malformed, toByteString } from "../../../base/index.js";
import type { IgnoreMatcher, IgnoreState, PlacedInput } from "../../../graph/index.js";
import { guarded } from "../store/store.js";
import type { FileNode, FolderNode, LeafNode, NodeAttributes, TreeNode } from "./file-tree.js";
import { emptyTree, madeFolder } from "./file-tree.js";

export interface ContextSpec {
  /** Folder of the machine; undefined for a context that holds placed files only. */
  readonly folder: string | undefined;
  readonly placed: readonly PlacedInput[];
}

/**
 * Reads the folder's entries (not the files' contents). Owners become 0, as in BuildKit; hard links stay one file.
 * @throws malformed `context-too-large`; unavailable when a folder cannot be read.
 */
export function readContext(spec: ContextSpec, files: FileSystem, filter: IgnoreMatcher | undefined): FolderNode {
  const reader = new ContextReader(files, filter);
  const tree = spec.folder === undefined ? emptyTree : reader.readFolder(spec.folder, "", undefined);
  return placeFiles(tree, spec.placed, files);
}

class ContextReader {
  private readonly links = new Map<string, LeafNode>();
  private count = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly filter: IgnoreMatcher | undefined,
  ) {}

  readFolder(folder: string, relative: ByteString, state: IgnoreState | undefined): FolderNode {
    const children = new Map<ByteString, TreeNode>();
    const machinePath = Buffer.from(joined(toByteString(folder), relative), "latin1");
    const names = guarded(folder, () => this.files.readdirSync(machinePath, { encoding: "latin1" }));
    for (const name of names.sort(compareByteStrings)) {
      const child = this.readNode(folder, relative === "" ? name : `${relative}/${name}`, state);
      if (child !== undefined) children.set(name, child);
    }
    const stat = this.files.lstatSync(machinePath, { bigint: true });
    return { ...attributesFromStat(stat), uid: 0, gid: 0, type: "directory", children };
  }

  private readNode(folder: string, path: ByteString, parent: IgnoreState | undefined): TreeNode | undefined {
    const state = this.filter?.enter(path, parent);
    const ignored = state?.ignored === true;
    if (state !== undefined && ignored && this.filter?.mayPrune(path, state) === true) return undefined;
    if (++this.count > limits.archiveEntries) throw tooMany(folder);
    const machinePath = joined(toByteString(folder), path);
    const raw = Buffer.from(machinePath, "latin1");
    const stat = guarded(machinePath, () => this.files.lstatSync(raw, { bigint: true }));
    if (stat.isDirectory()) {
      const node = this.readFolder(folder, path, state);
      return ignored && node.children.size === 0 ? undefined : node;
    }
    if (ignored) return undefined;
    const key = `${String(stat.dev)}:${String(stat.ino)}`;
    const known = stat.nlink > 1n ? this.links.get(key) : undefined;
    const node = known ?? this.readLeaf(machinePath, stat);
    if (stat.nlink > 1n && node !== undefined) this.links.set(key, node);
    return node;
  }

  /** Undefined for sockets and devices, which the client does not send. */
  private readLeaf(path: ByteString, stat: BigIntStats): LeafNode | undefined {
    const attributes = { ...attributesFromStat(stat), uid: 0, gid: 0 };
    if (stat.isFile()) {
      return { ...attributes, type: "file", size: Number(stat.size), content: { kind: "file", path, offset: 0 } };
    }
    if (stat.isSymbolicLink()) {
      const target = this.files.readlinkSync(Buffer.from(path, "latin1"), { encoding: "latin1" });
      return { ...attributes, mode: 0o777, type: "symlink", target };
    }
    return stat.isFIFO() ? { ...attributes, type: "fifo" } : undefined;
  }
}

function joined(folder: ByteString, relative: ByteString): ByteString {
  return relative === "" ? folder : `${folder}/${relative}`;
}

function tooMany(folder: string): Error {
  return malformed({
    code: "context-too-large",
    message: `expected at most ${String(limits.archiveEntries)} entries in a build context`,
    subject: folder,
    hint: "name what the build does not need in .dockerignore",
  });
}

const second = 1_000_000_000n;

/** The part of a stat that a node keeps. */
export function attributesFromStat(stat: BigIntStats): NodeAttributes {
  const nanoseconds = ((stat.mtimeNs % second) + second) % second; // a time before the epoch counts up, too
  return {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeSeconds: Number((stat.mtimeNs - nanoseconds) / second),
    mtimeNanoseconds: Number(nanoseconds),
  };
}

function placeFiles(tree: FolderNode, placed: readonly PlacedInput[], files: FileSystem): FolderNode {
  let result = tree;
  for (const { path, file, sha256, mode } of placed) {
    const size = guarded(file, () => files.statSync(file)).size;
    const node: FileNode = {
      type: "file",
      mode,
      uid: 0,
      gid: 0,
      ...madeFolder,
      size,
      sha256,
      content: { kind: "file", path: toByteString(file), offset: 0 },
    };
    result = withPlaced(result, path.split("/").map(toByteString), node);
  }
  return result;
}

function withPlaced(folder: FolderNode, parts: readonly ByteString[], node: FileNode): FolderNode {
  const [name = "", ...rest] = parts;
  const children = new Map(folder.children);
  const child = children.get(name);
  if (rest.length === 0) children.set(name, node);
  else children.set(name, withPlaced(child?.type === "directory" ? child : emptyTree, rest, node));
  return { ...folder, children };
}
