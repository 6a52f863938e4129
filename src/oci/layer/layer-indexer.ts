import type { ByteString } from "../../base/index.js";
import type { LayerEntry, NodeEntry } from "./entry.js";
import type { TarSource } from "./tar-node.js";
import { EntryBudget, nodeEntryOf } from "./tar-node.js";
import { layerPathParts, refuseMember } from "./tar-path.js";
import type { RawTarEntry } from "./tar-scanner.js";

/** Everything that the layers below have in this folder is hidden (`.wh..wh..opq`); `path` is empty for the root. */
export interface OpaqueEntry {
  readonly type: "opaque";
  readonly path: ByteString;
}

/** A change as read from a layer that anyone may have written. BuildKit itself never writes opaque marks. */
export type ReadLayerEntry = LayerEntry | OpaqueEntry;

const whiteoutMark = ".wh.";
const opaqueMark = ".wh..wh..opq";

/** One name in the tree of a layer. */
interface Node {
  children: Map<string, Node> | undefined;
  /** Undefined for a folder that stands only in the paths of others. */
  type: ReadLayerEntry["type"] | undefined;
  /** For a name of a regular file: the first name. */
  first: ByteString;
}

/**
 * Turns the members of a layer into entries, in their order (IM-31). It is strict, since two readers must never see two
 * trees: a name that stands twice, a path through something that is no folder, a hard link to what is not before it in
 * the layer, an absolute path or one with `..` are refused.
 */
export class LayerIndexer {
  readonly #source: TarSource;
  readonly #root: Node = { children: undefined, type: "directory", first: "" };
  readonly #budget = new EntryBudget();
  readonly entries: ReadLayerEntry[] = [];

  constructor(source: TarSource) {
    this.#source = source;
  }

  /** @throws rejected with a code that begins with `tar-`. */
  add(raw: RawTarEntry): void {
    const { subject } = this.#source;
    const parts = layerPathParts(raw.rawName, raw.flag === "5", subject);
    const name = parts.at(-1);
    if (name === undefined) {
      if (raw.flag === "5") return;
      throw refuseMember("tar-path-odd", "expected the root to be a folder", subject, raw.rawName);
    }
    const node = this.#place(parts, raw);
    const entry = name.startsWith(whiteoutMark) ? this.#mark(raw, parts) : this.#entry(raw, parts.join("/"));
    node.type = entry.type;
    node.first = entry.type === "hardlink" ? entry.target : entry.path;
    this.entries.push(entry);
  }

  /** The node of a path that is new to the layer; folders on the way are made where they are missing. */
  #place(parts: readonly string[], raw: RawTarEntry): Node {
    let node = this.#root;
    for (const part of parts) {
      if (node.type !== undefined && node.type !== "directory") {
        throw refuseMember(
          "tar-path-through-file",
          "expected a path through folders only",
          this.#source.subject,
          raw.rawName,
        );
      }
      node.children ??= new Map();
      let next = node.children.get(part);
      if (next === undefined) {
        this.#budget.spend(this.#source.subject);
        next = { children: undefined, type: undefined, first: "" };
        node.children.set(part, next);
      }
      node = next;
    }
    if (node.type !== undefined) {
      throw refuseMember("tar-duplicate", "expected every path once", this.#source.subject, raw.rawName);
    }
    if (node.children !== undefined && raw.flag !== "5") {
      throw refuseMember(
        "tar-path-through-file",
        "expected a folder, since other members are in it",
        this.#source.subject,
        raw.rawName,
      );
    }
    return node;
  }

  #mark(raw: RawTarEntry, parts: readonly string[]): ReadLayerEntry {
    const name = parts.at(-1) ?? "";
    const folder = parts.slice(0, -1);
    const hidden = name.slice(whiteoutMark.length);
    if (raw.flag === "0" && name === opaqueMark) return { type: "opaque", path: folder.join("/") };
    const isPlain = hidden !== "" && hidden !== "." && hidden !== ".." && !hidden.startsWith(whiteoutMark);
    if (raw.flag === "0" && isPlain) return { type: "whiteout", path: [...folder, hidden].join("/") };
    throw refuseMember(
      "tar-bad-whiteout",
      "expected a whiteout that is a file and names a file",
      this.#source.subject,
      raw.rawName,
    );
  }

  #entry(raw: RawTarEntry, path: ByteString): NodeEntry {
    const entry = nodeEntryOf(raw, path, this.#source);
    if (entry !== undefined) return entry;
    const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = raw;
    const target = this.#linkTarget(raw);
    return { type: "hardlink", path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, target };
  }

  #linkTarget(raw: RawTarEntry): ByteString {
    let node: Node | undefined = this.#root;
    for (const part of layerPathParts(raw.rawLink, false, this.#source.subject)) node = node?.children?.get(part);
    const type = node?.type;
    if (node === undefined || type === undefined || type === "directory" || type === "whiteout" || type === "opaque") {
      throw refuseMember(
        "tar-link-target",
        "expected a hard link to a file before it in the layer",
        this.#source.subject,
        raw.rawName,
      );
    }
    return node.first;
  }
}
