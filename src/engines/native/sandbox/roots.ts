/**
 * Layers as folders, for overlay mounts. GNU tar lays them out, for it sets owners, times to the nanosecond, devices
 * and capabilities, which Node cannot. A RUN's own upper folder becomes the layer's folder as it is.
 */
import type { Processes } from "../../../base/index.js";
import { digestOf, hexOf } from "../../../base/index.js";
import { writeLayerTar } from "../../../oci/index.js";
import type { LayerEntry } from "../../../oci/index.js";
import type { LayerId, LayerStore } from "../store/layer-store.js";
import { writeAll } from "../store/layer-writer.js";
import { guarded, ioError } from "../store/store.js";
import type { FolderNode, HashedEntry } from "../tree/file-tree.js";
import { emptyTree } from "../tree/file-tree.js";
import { diffTrees } from "../tree/tree-diff.js";
import { runTool } from "./system.js";

/** Characters of a layer's name that name its folder: short, for a mount takes one page of options; 128 bits are enough. */
const rootNameLength = 32;

export function rootName(layer: LayerId): string {
  return layer.slice(0, rootNameLength);
}

/** A whiteout as the overlay filesystem knows it: a character device 0, 0. */
function overlayEntry(entry: HashedEntry): LayerEntry {
  if (entry.type !== "whiteout") return entry;
  const attributes = { mode: 0, uid: 0, gid: 0, mtimeSeconds: 0, mtimeNanoseconds: 0 };
  return { ...attributes, type: "character", path: entry.path, major: 0, minor: 0 };
}

export class LayerRoots {
  private readonly pending = new Map<string, Promise<void>>();

  constructor(
    private readonly layers: LayerStore,
    private readonly processes: Processes,
  ) {}

  /** Makes sure that the layer's folder is there and returns its name below `roots/`. */
  async layerRoot(layer: LayerId): Promise<string> {
    return await this.root(rootName(layer), () => this.layers.get(layer).entries);
  }

  /** A folder that holds a whole tree: for bind mounts of contexts, and in place of more layers than one mount takes. */
  async treeRoot(tree: FolderNode): Promise<string> {
    const entries = diffTrees(emptyTree, tree, () => false);
    const key = hexOf(digestOf(JSON.stringify(entries)));
    return await this.root(`t${rootName(key)}`, () => entries);
  }

  private async root(name: string, entries: () => readonly HashedEntry[]): Promise<string> {
    if (this.layers.store.has("roots", name)) return name;
    let work = this.pending.get(name);
    if (work === undefined) {
      work = this.layOut(name, entries()).finally(() => this.pending.delete(name));
      this.pending.set(name, work);
    }
    await work;
    return name;
  }

  private async layOut(name: string, entries: readonly HashedEntry[]): Promise<void> {
    const { store } = this.layers;
    const tar = store.temporary("layout.tar");
    const folder = store.temporary("root");
    this.writeTar(tar, entries.map(overlayEntry));
    guarded(folder, () => {
      store.files.mkdirSync(folder, { mode: 0o755 });
      store.files.chmodSync(folder, 0o755);
    });
    const keep = ["--numeric-owner", "--same-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*"];
    const args = ["--extract", "--file", tar, "--directory", folder, ...keep, "--delay-directory-restore"];
    await runTool(this.processes, "tar", args);
    store.files.unlinkSync(tar);
    store.commit(folder, "roots", name);
  }

  private writeTar(path: string, entries: readonly LayerEntry[]): void {
    const { files } = this.layers.store;
    const fd = guarded(path, () => files.openSync(path, "wx", 0o600));
    try {
      writeLayerTar(entries, { files, clamp: "none" }, (chunk) => {
        writeAll(files, fd, chunk);
      });
    } catch (thrown) {
      throw ioError(thrown, path);
    } finally {
      files.closeSync(fd);
    }
  }
}
