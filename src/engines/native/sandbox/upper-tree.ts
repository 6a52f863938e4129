/**
 * What a RUN changed, as a tree: the upper folder of its overlay laid on the tree that the RUN started from. Names that
 * vanished are found by listing the merged folder, so that no mark of the overlay filesystem need be understood.
 */
import type { BigIntStats } from "node:fs";

import type { ByteString, FileSystem } from "../../../base/index.js";
import { compareByteStrings, toByteString } from "../../../base/index.js";
import { attributesFromStat } from "../tree/context-tree.js";
import { DraftTree } from "../tree/draft-tree.js";
import type { FolderNode, LeafNode, NodeAttributes } from "../tree/file-tree.js";
import { nodeAt } from "../tree/file-tree.js";

export interface UpperInput {
  readonly base: FolderNode;
  readonly upper: string;
  readonly merged: string;
  /** `security.capability` of the files that have one, by path in the upper folder. */
  readonly capabilities: ReadonlyMap<ByteString, ByteString>;
}

export function readUpper(input: UpperInput, files: FileSystem): FolderNode {
  const reader = new UpperReader(input, files);
  reader.readFolder([]);
  return reader.draft.freeze();
}

class UpperReader {
  readonly draft: DraftTree;
  private readonly links = new Map<bigint, LeafNode>();
  private readonly upper: ByteString;
  private readonly merged: ByteString;

  constructor(
    private readonly input: UpperInput,
    private readonly files: FileSystem,
  ) {
    this.draft = new DraftTree(input.base);
    this.upper = toByteString(input.upper);
    this.merged = toByteString(input.merged);
  }

  readFolder(parts: readonly ByteString[]): void {
    this.removeVanished(parts);
    for (const name of this.list(this.upper, parts)) this.readName([...parts, name]);
  }

  private list(root: ByteString, parts: readonly ByteString[]): ByteString[] {
    const path = Buffer.from([root, ...parts].join("/"), "latin1");
    return this.files.readdirSync(path, { encoding: "latin1" }).sort(compareByteStrings);
  }

  private removeVanished(parts: readonly ByteString[]): void {
    const before = nodeAt(this.input.base, parts);
    if (before?.type !== "directory" || before.children.size === 0) return;
    const now = new Set(this.list(this.merged, parts));
    for (const name of before.children.keys()) {
      if (!now.has(name)) this.draft.remove([...parts, name]);
    }
  }

  private readName(parts: readonly ByteString[]): void {
    const path = [this.upper, ...parts].join("/");
    const stat = this.files.lstatSync(Buffer.from(path, "latin1"), { bigint: true });
    if (stat.isDirectory()) {
      // What stood here was a leaf, or a folder that keeps what did not vanish.
      this.draft.putFolder(parts, this.attributes(stat, parts));
      this.readFolder(parts);
      return;
    }
    const known = stat.nlink > 1n ? this.links.get(stat.ino) : undefined;
    const node = known ?? this.leafOf(path, stat, parts);
    if (node === undefined) return;
    if (stat.nlink > 1n) this.links.set(stat.ino, node);
    this.draft.put(parts, node);
  }

  private attributes(stat: BigIntStats, parts: readonly ByteString[]): NodeAttributes {
    const attributes = attributesFromStat(stat);
    const capability = this.input.capabilities.get(parts.join("/"));
    return capability === undefined ? attributes : { ...attributes, xattrs: { "security.capability": capability } };
  }

  /** Undefined for what no layer holds: whiteouts (their names are known to have vanished) and sockets. */
  private leafOf(path: ByteString, stat: BigIntStats, parts: readonly ByteString[]): LeafNode | undefined {
    const attributes = this.attributes(stat, parts);
    if (stat.isFile()) {
      return { ...attributes, type: "file", size: Number(stat.size), content: { kind: "file", path, offset: 0 } };
    }
    if (stat.isSymbolicLink()) {
      const target = this.files.readlinkSync(Buffer.from(path, "latin1"), { encoding: "latin1" });
      return { ...attributes, type: "symlink", target };
    }
    if (stat.isFIFO()) return { ...attributes, type: "fifo" };
    if (stat.isCharacterDevice() || stat.isBlockDevice()) {
      const { major, minor } = deviceNumbers(stat.rdev);
      if (major === 0 && minor === 0 && stat.isCharacterDevice()) return undefined;
      return { ...attributes, type: stat.isCharacterDevice() ? "character" : "block", major, minor };
    }
    return undefined;
  }
}

/** Linux's 64-bit device number: 12 and 20 bits of the major, 8 and 24 bits of the minor, interleaved. */
function deviceNumbers(rdev: bigint): { readonly major: number; readonly minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

/**
 * Output of `getfattr --dump --encoding=hex` for `security.capability`, by path below the folder it ran in. Names come
 * with backslash and three octal digits for bytes that are not printable.
 */
export function parseCapabilities(raw: string): Map<ByteString, ByteString> {
  const found = new Map<ByteString, ByteString>();
  let path: ByteString | undefined;
  for (const line of raw.split("\n")) {
    if (line.startsWith("# file: ")) path = unescapeOctal(line.slice("# file: ".length)).replace(/^\.\//, "");
    const value = /^security\.capability=0x([0-9a-f]*)$/.exec(line)?.[1];
    if (value !== undefined && path !== undefined) found.set(path, Buffer.from(value, "hex").toString("latin1"));
  }
  return found;
}

function unescapeOctal(text: string): ByteString {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
