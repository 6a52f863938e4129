/** Overlay mounts of layers. All of them live in a mount namespace that dies with the process that made it. */
import type { Processes } from "../../../base/index.js";
import type { LayerId, LayerStore } from "../store/layer-store.js";
import { guarded } from "../store/store.js";
import { LayerRoots } from "./roots.js";
import { ContentHasher } from "../tree/content.js";
import { runTool } from "./system.js";

/** Lower folders in one mount: their names must fit in one page of mount options. */
const mountedLayers = 100;

export interface MountedRoot {
  /** The merged root filesystem. */
  readonly merged: string;
  /** What was written to it. */
  readonly upper: string;
  readonly unmount: () => Promise<void>;
}

export class OverlayMounter {
  readonly roots: LayerRoots;

  constructor(
    private readonly layers: LayerStore,
    private readonly processes: Processes,
    /** Inside a user namespace the overlay keeps its marks in `user.*` attributes. */
    private readonly inUserNamespace: boolean,
  ) {
    this.roots = new LayerRoots(layers, processes);
  }

  /** Mounts a chain of layers, lowest first, with an empty upper folder. */
  async mountChain(chain: readonly LayerId[]): Promise<MountedRoot> {
    return await this.mount(await this.lowerNames(chain));
  }

  /** Mounts one folder of `roots/`, so that writes do not reach it. */
  async mountRoot(root: string): Promise<MountedRoot> {
    return await this.mount([root]);
  }

  private async lowerNames(fullChain: readonly LayerId[]): Promise<string[]> {
    const chain = this.effectiveLayers(fullChain);
    const excess = chain.length > mountedLayers ? chain.length - mountedLayers + 1 : 0;
    const names: string[] = [];
    if (excess > 0) {
      const hasher = new ContentHasher(this.layers.store.files);
      names.push(await this.roots.treeRoot(this.layers.tree(chain.slice(0, excess)), hasher));
    }
    for (const layer of chain.slice(excess)) names.push(await this.roots.layerRoot(layer));
    return names;
  }

  /**
   * The kernel refuses a folder that stands twice. A layer says again all that it said lower down, so that the upper
   * place is enough; one that says nothing needs no place.
   */
  private effectiveLayers(chain: readonly LayerId[]): LayerId[] {
    return chain.filter(
      (layer, index) => chain.lastIndexOf(layer) === index && this.layers.get(layer).entries.length > 0,
    );
  }

  private async mount(lower: readonly string[]): Promise<MountedRoot> {
    const { store } = this.layers;
    const base = store.temporary("mount");
    const folder = (name: string): string => {
      const path = `${base}/${name}`;
      store.files.mkdirSync(path, { mode: 0o755 });
      store.files.chmodSync(path, 0o755);
      return path;
    };
    const [upper, work, merged] = guarded(base, () => {
      store.files.mkdirSync(base, { mode: 0o700 });
      return [folder("upper"), folder("work"), folder("merged")] as const;
    });
    const lowers = lower.length === 0 ? [guarded(base, () => folder("empty"))] : [...lower].reverse();
    const features = ["index=off", "metacopy=off", "redirect_dir=off", "nodev"];
    if (this.inUserNamespace) features.splice(0, features.length - 1, "userxattr");
    const options = [`lowerdir=${lowers.join(":")}`, `upperdir=${upper}`, `workdir=${work}`, ...features].join(",");
    await runTool(this.processes, "mount", ["-t", "overlay", "overlay", "-o", options, merged], {
      cwd: `${store.root}/roots`,
    });
    const unmount = async (): Promise<void> => {
      await runTool(this.processes, "umount", [merged]);
    };
    return { merged, upper, unmount };
  }
}
