/** RUN: mounts the layers, runs the command in the sandbox, and makes a layer of what it changed. */
import type { Processes } from "../../../base/index.js";
import { rejected, unavailable } from "../../../base/index.js";
import type { RunStep } from "../../../graph/index.js";
import type { MountedRoot, OverlayMounter } from "../sandbox/overlay.js";
import { missingMountPoints, removeStubs } from "../sandbox/mount-stubs.js";
import { rootName } from "../sandbox/roots.js";
import type { SandboxMount } from "../sandbox/runtime-spec.js";
import type { RightsEffects } from "../sandbox/rights-watch.js";
import { RightsWatch } from "../sandbox/rights-watch.js";
import { hostsText, resolverText, runtimeSpec } from "../sandbox/runtime-spec.js";
import { runTool, toolEnvironment } from "../sandbox/system.js";
import { parseCapabilities, readUpper } from "../sandbox/upper-tree.js";
import type { LayerId, LayerStore, StoredLayer } from "../store/layer-store.js";
import { writeLayer } from "../store/layer-writer.js";
import { diskFull, guarded } from "../store/store.js";
import { ContentHasher } from "../tree/content.js";
import type { FileNode, FolderNode } from "../tree/file-tree.js";
import { diffTrees } from "../tree/tree-diff.js";
import { resolveRunUser } from "../tree/users.js";
import type { RunSources } from "./run-mounts.js";
import { RunMounts } from "./run-mounts.js";

export interface RunStepInput {
  readonly step: RunStep;
  readonly base: readonly LayerId[];
  readonly sources: RunSources;
  /** Whether the policy grants this RUN the machine's network. */
  readonly network: "none" | "host";
  /** `resolv.conf` of a RUN with network; without one it is ours. */
  readonly resolver: string | undefined;
  /** OCI architecture of the machine's kernel. */
  readonly architecture: string;
}

export interface RunStepEffects {
  readonly layers: LayerStore;
  readonly processes: Processes;
  readonly mounter: OverlayMounter;
  /** The OCI runtime and its options before `run`. */
  readonly runtime: readonly [program: string, ...options: string[]];
  /** In a user name space some of root's rights are missing: what it takes to see that a RUN needs them. */
  readonly rights: RightsEffects | undefined;
  /** A folder in memory that nobody else sees: what a secret is written to. */
  readonly privateFolder: string;
  readonly onOutput: (chunk: Buffer) => void;
}

/** Exit status that a shell gives when a command cannot be found, and the runtime when it cannot start one. */
const cannotStart = new Set([126, 127]);

/**
 * @throws rejected `run-failed` when the command ends with another status than 0.
 * @throws unavailable when the sandbox cannot be made.
 */
export async function runRunStep(input: RunStepInput, effects: RunStepEffects): Promise<StoredLayer> {
  const tree = effects.layers.tree(input.base);
  const hasher = new ContentHasher(effects.layers.store.files);
  const bundle = `${effects.privateFolder}/${nameOf(effects.layers.store.temporary("bundle"))}`;
  const mounts = new RunMounts(effects.layers, effects.mounter, effects.processes, bundle);
  const root = await effects.mounter.mountChain(input.base);
  let mounted = true;
  const unmount = async (): Promise<void> => {
    if (mounted) await root.unmount();
    mounted = false;
  };
  try {
    const stubs = await execute(input, effects, { tree, root, hasher, mounts, bundle });
    removeStubs(root.upper, stubs, effects.layers.store.files);
    const after = await readChanges(tree, root, effects);
    await unmount();
    return storeUpper(tree, after, root, effects.layers, hasher);
  } finally {
    await unmount();
    await mounts.release();
    effects.layers.store.files.rmSync(bundle, { recursive: true, force: true });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

interface Execution {
  readonly tree: FolderNode;
  readonly root: MountedRoot;
  readonly hasher: ContentHasher;
  readonly mounts: RunMounts;
  /** Folder of the runtime's specification and of small files for this RUN. */
  readonly bundle: string;
}

/** Runs the command; gives the mount points that have to go afterwards. */
async function execute(input: RunStepInput, effects: RunStepEffects, execution: Execution) {
  const { store } = effects.layers;
  const { step } = input;
  const { bundle } = execution;
  guarded(bundle, () => store.files.mkdirSync(bundle, { mode: 0o700 }));
  const user = resolveRunUser(step.user, execution.tree, execution.hasher);
  const own = await execution.mounts.prepare(step, input.sources);
  const scripts = guarded(bundle, () => scriptMounts(step, bundle, effects));
  // Who is not root in the sandbox has no rights that could be missing.
  const watch = effects.rights && user.uid === 0 ? await RightsWatch.start(effects.rights, bundle) : undefined;
  guarded(bundle, () => {
    makeSystemFolders(execution, effects);
    store.files.writeFileSync(`${bundle}/hosts`, hostsText, { mode: 0o644 });
    store.files.writeFileSync(`${bundle}/resolv.conf`, input.resolver ?? resolverText, { mode: 0o644 });
    const spec = runtimeSpec({
      rootfs: execution.root.merged,
      argv: step.argv,
      env: [...step.env, ...own.env],
      cwd: step.cwd,
      user,
      hostsFile: `${bundle}/hosts`,
      resolverFile: `${bundle}/resolv.conf`,
      mounts: [...own.mounts, ...scripts],
      network: input.network,
      architecture: input.architecture,
      held: watch?.request,
    });
    store.files.writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  });
  try {
    await runSandbox(effects, bundle, watch);
  } finally {
    watch?.close();
  }
  const mounted = [...own.mounts, ...scripts].map((mount) => mount.destination);
  const destinations = [...mounted, "/etc/hosts", "/etc/resolv.conf"];
  return missingMountPoints(execution.tree, destinations);
}

/** The runtime would make these too, but with a mode of its own choice. They stay in the layer, as with BuildKit. */
function makeSystemFolders(execution: Execution, effects: RunStepEffects): void {
  const { files } = effects.layers.store;
  for (const name of ["dev", "proc", "sys"]) {
    if (execution.tree.children.has(name)) continue;
    files.mkdirSync(`${execution.root.merged}/${name}`, { mode: 0o755 });
    files.chmodSync(`${execution.root.merged}/${name}`, 0o755);
  }
}

function scriptMounts(step: RunStep, bundle: string, effects: RunStepEffects): SandboxMount[] {
  const { files } = effects.layers.store;
  const folders = new Map<string, SandboxMount>();
  for (const { path, data } of step.scripts) {
    const slash = path.lastIndexOf("/");
    const destination = path.slice(0, slash);
    const source = `${bundle}/scripts-${String(folders.size)}`;
    const mount = folders.get(destination) ?? { destination, type: "bind", source, options: ["rbind", "ro"] };
    if (!folders.has(destination)) files.mkdirSync(mount.source, { mode: 0o755 });
    folders.set(destination, mount);
    const file = `${mount.source}${path.slice(slash)}`;
    files.writeFileSync(file, data, { mode: 0o755 });
    files.chmodSync(file, 0o755);
  }
  return [...folders.values()];
}

async function runSandbox(effects: RunStepEffects, bundle: string, watch: RightsWatch | undefined): Promise<void> {
  const [program, ...options] = effects.runtime;
  const id = nameOf(bundle);
  const { processes, onOutput } = effects;
  const run = processes.run(program, [...options, "run", "--bundle", bundle, id], {
    env: toolEnvironment,
    pipes: true,
    onOutput,
  });
  const stop = async (): Promise<void> => {
    await processes.run(program, [...options, "delete", "--force", id], { env: toolEnvironment });
  };
  const result = await (watch === undefined ? run : watch.guard(run, stop));
  if (result.status === 0) return;
  if (result.status === null) {
    throw unavailable({
      code: "sandbox-killed",
      message: `the sandbox was ended by ${result.signal ?? "a signal"}`,
      hint: "the kernel ends processes when memory runs out; see its log",
    });
  }
  const message = `the command ended with status ${String(result.status)}`;
  const { store } = effects.layers;
  if (store.isFull()) throw diskFull(store.root, new Error(message));
  throw rejected({
    code: "run-failed",
    message,
    hint: cannotStart.has(result.status) ? "a program or its interpreter is not in the image" : undefined,
  });
}

async function readChanges(tree: FolderNode, root: MountedRoot, effects: RunStepEffects): Promise<FolderNode> {
  const match = ["--dump", "--match=^security\\.capability$", "--encoding=hex"];
  const args = ["--recursive", "--physical", "--no-dereference", ...match, "."];
  const attributes = await runTool(effects.processes, "getfattr", args, { cwd: root.upper });
  const capabilities = parseCapabilities(attributes.stdout.toString("latin1"));
  const input = { base: tree, upper: root.upper, merged: root.merged, capabilities };
  return guarded(root.upper, () => readUpper(input, effects.layers.store.files));
}

function storeUpper(
  before: FolderNode,
  after: FolderNode,
  root: MountedRoot,
  layers: LayerStore,
  hasher: ContentHasher,
): StoredLayer {
  const same = (a: FileNode, b: FileNode): boolean => hasher.hashOf(a) === hasher.hashOf(b);
  const layer = writeLayer(layers, diffTrees(before, after, same));
  const name = rootName(layers.store, layer.id);
  if (!layers.store.has("roots", name)) layers.store.commit(root.upper, "roots", name);
  return layer;
}
