/** RUN --mount: what each of them becomes in the sandbox. */
import { fromByteString, rejected, toByteString } from "../../../base/index.js";
import type { Processes } from "../../../base/index.js";
import type { RunMount, RunStep } from "../../../graph/index.js";
import type { MountedRoot, OverlayMounter } from "../sandbox/overlay.js";
import type { SandboxMount } from "../sandbox/runtime-spec.js";
import { runTool } from "../sandbox/system.js";
import type { LayerStore } from "../store/layer-store.js";
import { guarded } from "../store/store.js";
import type { ContentHasher } from "../tree/content.js";
import type { FolderNode } from "../tree/file-tree.js";
import { emptyTree, resolvePath, nodeAt } from "../tree/file-tree.js";

export interface RunSources {
  /** The tree of each mount's `from`, by the mount's place in the step; undefined for mounts without one. */
  readonly trees: readonly (FolderNode | undefined)[];
  /** Knows the hashes that the files of the trees must have. */
  readonly hasher: ContentHasher;
  /** Files of the machine that hold secrets, by id. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Folder below `cache/` of each cache mount, by the mount's place in the step. */
  readonly cacheFolders: readonly (string | undefined)[];
}

interface MountedTree {
  readonly tree: FolderNode;
  readonly hasher: ContentHasher;
}

export interface PreparedMounts {
  readonly mounts: readonly SandboxMount[];
  /** Secrets that are given as variables. */
  readonly env: readonly string[];
}

const closed = ["nosuid", "nodev"];

export class RunMounts {
  private readonly releases: (() => Promise<void>)[] = [];
  private secrets = 0;

  constructor(
    private readonly layers: LayerStore,
    private readonly mounter: OverlayMounter,
    private readonly processes: Processes,
    /** A folder in memory, for this RUN alone. */
    private readonly privateFolder: string,
  ) {}

  async prepare(step: RunStep, sources: RunSources): Promise<PreparedMounts> {
    const mounts: SandboxMount[] = [];
    const env: string[] = [];
    for (const [index, mount] of step.mounts.entries()) {
      const tree = sources.trees[index] ?? emptyTree;
      const source = { tree, hasher: sources.hasher };
      if (mount.kind === "bind") mounts.push(await this.bind(mount, source));
      else if (mount.kind === "cache") mounts.push(await this.cache(mount, source, sources.cacheFolders[index] ?? ""));
      else if (mount.kind === "tmpfs") mounts.push(tmpfs(mount));
      else this.secret(mount, sources.secrets, mounts, env);
    }
    return { mounts, env };
  }

  /** Unmounts what was mounted, the last first. */
  async release(): Promise<void> {
    for (const release of this.releases.reverse()) await release();
    this.releases.length = 0;
  }

  private async bind(mount: RunMount & { kind: "bind" }, from: MountedTree): Promise<SandboxMount> {
    const { root, source } = await this.mountedPath(from, mount.source);
    this.releases.push(root.unmount);
    const options = mount.writable ? ["rbind", "nodev"] : ["rbind", "ro", "nodev"];
    return { destination: mount.target, type: "bind", source, options };
  }

  private async cache(mount: RunMount & { kind: "cache" }, from: MountedTree, folder: string): Promise<SandboxMount> {
    const { store } = this.layers;
    if (!store.use("cache", folder)) {
      const fresh = store.temporary("cache");
      guarded(fresh, () => {
        store.files.mkdirSync(fresh, { mode: mount.mode });
        store.files.chmodSync(fresh, mount.mode);
        store.files.lchownSync(fresh, mount.uid, mount.gid);
      });
      if (mount.from !== undefined) await this.fill(fresh, from, mount.source);
      store.commit(fresh, "cache", folder);
    }
    const options = mount.readonly ? ["rbind", "ro", ...closed] : ["rbind", ...closed];
    return { destination: mount.target, type: "bind", source: store.path("cache", folder), options };
  }

  /** A cache that starts from an image or stage gets a copy of its folder, once. */
  private async fill(fresh: string, from: MountedTree, path: string): Promise<void> {
    const { root, source } = await this.mountedPath(from, path);
    await runTool(this.processes, "cp", ["--archive", `${source}/.`, fresh]);
    await root.unmount();
  }

  /** @throws rejected `mount-source-missing` */
  private async mountedPath(
    { tree, hasher }: MountedTree,
    path: string,
  ): Promise<{ root: MountedRoot; source: string }> {
    const parts = resolvePath(tree, toByteString(path));
    if (nodeAt(tree, parts) === undefined) {
      throw rejected({ code: "mount-source-missing", message: "the source of a mount is not there", subject: path });
    }
    const root = await this.mounter.mountRoot(await this.mounter.roots.treeRoot(tree, hasher));
    return { root, source: [root.merged, ...parts.map(fromByteString)].join("/") };
  }

  private secret(
    mount: RunMount & { kind: "secret" },
    secrets: RunSources["secrets"],
    mounts: SandboxMount[],
    env: string[],
  ): void {
    const file = Object.hasOwn(secrets, mount.id) ? secrets[mount.id] : undefined;
    if (file === undefined) {
      if (!mount.required) return;
      throw rejected({
        code: "secret-missing",
        message: `the RUN requires the secret ${JSON.stringify(mount.id)}`,
        subject: mount.id,
        hint: `give it with --secret id=${mount.id},src=FILE`,
      });
    }
    const { files } = this.layers.store;
    const data = guarded(file, () => files.readFileSync(file));
    if (mount.env !== undefined) env.push(`${mount.env}=${data.toString("utf8")}`);
    if (mount.target === undefined) return;
    const copy = `${this.privateFolder}/secret-${String(this.secrets++)}`;
    guarded(copy, () => {
      files.writeFileSync(copy, data, { mode: mount.mode });
      files.chmodSync(copy, mount.mode);
      files.lchownSync(copy, mount.uid, mount.gid);
    });
    mounts.push({
      destination: mount.target,
      type: "bind",
      source: copy,
      options: ["ro", "rbind", "noexec", ...closed],
    });
  }
}

function tmpfs(mount: RunMount & { kind: "tmpfs" }): SandboxMount {
  const size = mount.size === undefined ? [] : [`size=${String(mount.size)}`];
  return { destination: mount.target, type: "tmpfs", source: "tmpfs", options: [...closed, ...size] };
}
