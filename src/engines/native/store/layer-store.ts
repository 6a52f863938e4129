/**
 * Layers in the store. The tar is the truth; the index beside it adds what an image's tar does not say (true times, the
 * SHA-256 and place of each file).
 */
import type { ByteString, Digest } from "../../../base/index.js";
import { canonicalJson, digestOf, hexOf, toByteString } from "../../../base/index.js";
import { applyLayer } from "../tree/draft-tree.js";
import type { FolderNode, HashedEntry } from "../tree/file-tree.js";
import { emptyTree } from "../tree/file-tree.js";
import type { Store } from "./store.js";
import { damaged } from "./store.js";

/** One row for an entry: type, path, then what the type needs. JSON keeps it compact. */
type Row = readonly (string | number | Readonly<Record<string, string>>)[];

interface LayerRecord {
  readonly diffId: Digest;
  readonly size: number;
  readonly rows: readonly Row[];
}

/** Name of a layer in the store: SHA-256 of its index. Layers with the same tar and other times have other names. */
export type LayerId = string;

export interface StoredLayer {
  readonly id: LayerId;
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly entries: readonly HashedEntry[];
}

const letters = {
  file: "f",
  directory: "d",
  symlink: "l",
  hardlink: "h",
  character: "c",
  block: "b",
  fifo: "p",
} as const;

function rowOf(entry: HashedEntry): Row {
  if (entry.type === "whiteout") return ["w", entry.path];
  const common = [
    letters[entry.type],
    entry.path,
    entry.mode,
    entry.uid,
    entry.gid,
    entry.mtimeSeconds,
    entry.mtimeNanoseconds,
    entry.xattrs ?? 0,
  ] as const;
  switch (entry.type) {
    case "file":
      return [...common, entry.size, entry.content.kind === "file" ? entry.content.offset : 0, entry.sha256 ?? ""];
    case "symlink":
    case "hardlink":
      return [...common, entry.target];
    case "character":
    case "block":
      return [...common, entry.major, entry.minor];
    case "directory":
    case "fifo":
      return common;
  }
}

function textOf(value: Row[number] | undefined): string {
  return typeof value === "string" ? value : "";
}

function entryOfRow(row: Row, tarPath: ByteString): HashedEntry {
  const [letter, rawPath, mode, uid, gid, seconds, nanoseconds, xattrs, a, b, c] = row;
  const path = textOf(rawPath);
  if (letter === "w") return { type: "whiteout", path };
  const times = { mtimeSeconds: Number(seconds), mtimeNanoseconds: Number(nanoseconds) };
  const plain = { path, mode: Number(mode), uid: Number(uid), gid: Number(gid), ...times };
  const common = typeof xattrs === "object" ? { ...plain, xattrs } : plain;
  switch (letter) {
    case "f": {
      const content = { kind: "file" as const, path: tarPath, offset: Number(b) };
      const file = { ...common, type: "file" as const, size: Number(a), content };
      return c === "" ? file : { ...file, sha256: textOf(c) };
    }
    case "l":
      return { ...common, type: "symlink", target: textOf(a) };
    case "h":
      return { ...common, type: "hardlink", target: textOf(a) };
    case "c":
    case "b":
      return { ...common, type: letter === "c" ? "character" : "block", major: Number(a), minor: Number(b) };
    case "p":
      return { ...common, type: "fifo" };
    default:
      return { ...common, type: "directory" };
  }
}

/** Times later than this become this, in every image: `SOURCE_DATE_EPOCH=1`. */
export const imageEpochSeconds = 1;

function clampTime(entry: HashedEntry): HashedEntry {
  if (entry.type === "whiteout") return entry;
  const early = entry.mtimeSeconds < imageEpochSeconds;
  return { ...entry, mtimeSeconds: early ? entry.mtimeSeconds : imageEpochSeconds, mtimeNanoseconds: 0 };
}

/** Layers of one store, with those in memory that this process has used. */
export class LayerStore {
  private readonly layers = new Map<LayerId, StoredLayer>();
  private readonly trees = new Map<string, FolderNode>();

  constructor(readonly store: Store) {}

  tarPath(diffId: Digest): string {
    return this.store.path("blobs", `${hexOf(diffId)}.tar`);
  }

  /** Names a layer whose tar is in the store. File contents must already point into that tar. */
  add(diffId: Digest, size: number, entries: readonly HashedEntry[]): StoredLayer {
    const record: LayerRecord = { diffId, size, rows: entries.map(rowOf) };
    const id = hexOf(digestOf(JSON.stringify(record)));
    if (!this.isRecorded(id)) this.store.writeRecord("layers", id, record);
    const layer = { id, diffId, size, entries };
    this.layers.set(id, layer);
    return layer;
  }

  /** The layer of this name, or undefined when it or its tar is not in the store any more. */
  find(id: LayerId): StoredLayer | undefined {
    const known = this.layers.get(id);
    if (known !== undefined) return this.hasTar(known.diffId) ? known : undefined;
    const record = this.store.useRecord("layers", id) as LayerRecord | undefined;
    if (record === undefined || hexOf(digestOf(JSON.stringify(record))) !== id) return undefined;
    if (!this.hasTar(record.diffId)) return undefined;
    const tarPath = toByteString(this.tarPath(record.diffId));
    const { diffId, size, rows } = record;
    const layer = { id, diffId, size, entries: rows.map((row) => entryOfRow(row, tarPath)) };
    this.layers.set(id, layer);
    return layer;
  }

  /** @throws untrusted `store-damaged` */
  get(id: LayerId): StoredLayer {
    const layer = this.find(id);
    if (layer !== undefined) return layer;
    this.layers.delete(id);
    this.store.discard("layers", `${id}.json`);
    throw damaged(this.store.path("layers", `${id}.json`), "it or its layer is gone or was changed");
  }

  private hasTar(diffId: Digest): boolean {
    return this.store.use("blobs", `${hexOf(diffId)}.tar`);
  }

  /** A record that is damaged counts as none. */
  private isRecorded(id: LayerId): boolean {
    return this.layers.has(id)
      ? this.store.has("layers", `${id}.json`)
      : this.store.readRecord("layers", id) !== undefined;
  }

  /**
   * The same layer as another target sees it, through an image: times that the image does not keep are gone.
   */
  asImported(id: LayerId): StoredLayer {
    const { diffId, size, entries } = this.get(id);
    return this.add(diffId, size, entries.map(clampTime));
  }

  /** The root filesystem of a chain of layers, lowest first. */
  tree(chain: readonly LayerId[]): FolderNode {
    const last = chain.at(-1);
    if (last === undefined) return emptyTree;
    const key = canonicalJson(chain);
    const known = this.trees.get(key);
    if (known !== undefined) return known;
    const tree = applyLayer(this.tree(chain.slice(0, -1)), this.get(last).entries);
    this.trees.set(key, tree);
    return tree;
  }
}
