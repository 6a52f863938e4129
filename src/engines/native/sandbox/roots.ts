/**
 * Layers as folders, for overlay mounts. GNU tar lays them out, for it sets owners, times to the nanosecond, devices
 * and capabilities, which Node cannot. A RUN's own upper folder becomes the layer's folder as it is.
 */
import type { Processes } from "../../../base/index.js";
import { StagewrightError, unavailable } from "../../../base/index.js";
import { writeLayerTar } from "../../../oci/index.js";
import type { LayerEntry } from "../../../oci/index.js";
import type { LayerId, LayerStore } from "../store/layer-store.js";
import { FileHasher, entriesKey, writeAll } from "../store/layer-writer.js";
import type { Store } from "../store/store.js";
import { guarded, ioError } from "../store/store.js";
import type { ContentHasher } from "../tree/content.js";
import type { FolderNode, HashedEntry } from "../tree/file-tree.js";
import { emptyTree } from "../tree/file-tree.js";
import { diffTrees } from "../tree/tree-diff.js";
import { runTool } from "./system.js";

/** Characters of a layer's name that name its folder: short, for a mount takes one page of options; 96 bits are enough. */
const rootNameLength = 24;

/**
 * The folder of a layer. It begins with the boot of the machine in which it was made: nothing proves these files again,
 * and only a crash of the machine loses what was written.
 */
export function rootName(store: Store, layer: LayerId): string {
  return `${store.boot}-${layer.slice(0, rootNameLength)}`;
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
    return await this.root(rootName(this.layers.store, layer), () => this.layers.get(layer).entries);
  }

  /**
   * A folder that holds a whole tree, its files with the hashes that `hasher` knows of them: for bind mounts of contexts, and in place of more layers than
   * one mount takes.
   * @throws rejected `content-changed`
   */
  async treeRoot(tree: FolderNode, hasher: ContentHasher): Promise<string> {
    const entries = diffTrees(emptyTree, tree, () => false).map((entry) =>
      entry.type === "file" ? { ...entry, sha256: hasher.hashOf(entry) } : entry,
    );
    return await this.root(rootName(this.layers.store, `t${entriesKey(entries)}`), () => entries);
  }

  private async root(name: string, entries: () => readonly HashedEntry[]): Promise<string> {
    if (this.layers.store.use("roots", name)) return name;
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
    await this.extract(args);
    store.files.unlinkSync(tar);
    store.commit(folder, "roots", name);
  }

  /** @throws unavailable `needs-root` where this user may not make an owner or device of the layer */
  private async extract(args: readonly string[]): Promise<void> {
    try {
      await runTool(this.processes, "tar", args);
    } catch (thrown) {
      if (!(thrown instanceof StagewrightError) || !/Cannot (?:change ownership|mknod)/.test(thrown.message))
        throw thrown;
      throw unavailable({
        code: "needs-root",
        message: `expected owners of the user's range of ids and no devices below a RUN: ${thrown.message}`,
        hint: "build this target as root; /etc/subuid and /etc/subgid say which ids a user has",
        cause: thrown,
      });
    }
  }

  /** @throws rejected `content-changed` when a file is not what its entry says. */
  private writeTar(path: string, entries: readonly (LayerEntry & { readonly sha256?: string })[]): void {
    const { files } = this.layers.store;
    const hasher = new FileHasher();
    const onContent = hasher.expect.bind(hasher);
    const fd = guarded(path, () => files.openSync(path, "wx", 0o600));
    try {
      writeLayerTar(entries, { files, clamp: "none", onContent }, (chunk) => {
        hasher.update(chunk);
        writeAll(files, fd, chunk);
      });
    } catch (thrown) {
      throw ioError(thrown, path);
    } finally {
      files.closeSync(fd);
    }
  }
}
