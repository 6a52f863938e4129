/** Does jobs: the code that runs in a thread or inside the namespaces. */
import type { Processes } from "../../../base/index.js";
import { StagewrightError, hexOf, rejected, toByteString } from "../../../base/index.js";
import type { ArchiveOpener } from "../../../graph/index.js";
import { createIgnoreMatcher } from "../../../graph/index.js";
import { OverlayMounter } from "../sandbox/overlay.js";
import type { RightsEffects } from "../sandbox/rights-watch.js";
import { runFileStep } from "../steps/file-step.js";
import { runRunStep } from "../steps/run-step.js";
import { compressLayer, sha256OfFile } from "../store/layer-compressor.js";
import { importLayer } from "../store/layer-importer.js";
import type { LayerId, LayerStore, StoredLayer } from "../store/layer-store.js";
import { damaged } from "../store/store.js";
import { ContentHasher } from "../tree/content.js";
import { readContext } from "../tree/context-tree.js";
import type { FolderNode } from "../tree/file-tree.js";
import { treeIdentity } from "../tree/tree-identity.js";
import type { FileJob, Job, JobResult, RunJob, SourceSpec } from "./job.js";

export interface JobEffects {
  readonly layers: LayerStore;
  readonly processes: Processes;
  readonly archives: ArchiveOpener;
  readonly inUserNamespace: boolean;
  /** In a user name space what it takes to see that a RUN needs root's rights. */
  readonly rights: RightsEffects | undefined;
  /** A folder in memory that nobody else sees. */
  readonly privateFolder: string;
  readonly runtime: readonly [string, ...string[]];
}

export class JobRunner {
  private readonly mounter: OverlayMounter;

  constructor(private readonly effects: JobEffects) {
    this.mounter = new OverlayMounter(effects.layers, effects.processes, effects.inUserNamespace);
  }

  /** @throws untrusted `store-damaged` where a job failed and a layer under it is not what its name says; it is gone then. */
  async run(job: Job, onOutput: (chunk: Buffer) => void): Promise<JobResult> {
    try {
      return await this.attempt(job, onOutput);
    } catch (thrown) {
      if (thrown instanceof StagewrightError && signsOfDamage.has(thrown.code)) this.checkLayers(layersUnder(job));
      throw thrown;
    }
  }

  private checkLayers(ids: readonly LayerId[]): void {
    const { layers } = this.effects;
    for (const diffId of new Set(ids.map((id) => layers.get(id).diffId))) {
      const path = layers.tarPath(diffId);
      const found = sha256OfFile(layers.store.files, path);
      if (found === diffId) continue;
      layers.store.discard("blobs", `${hexOf(diffId)}.tar`);
      throw damaged(path, found === undefined ? "it is missing" : `its diff id is ${found}`);
    }
  }

  private async attempt(job: Job, onOutput: (chunk: Buffer) => void): Promise<JobResult> {
    const { layers } = this.effects;
    switch (job.kind) {
      case "file":
        return await this.runFile(job);
      case "run":
        return this.made(await this.runRun(job, onOutput));
      case "compress":
        return { kind: "blob", ...compressLayer(layers, job.diffId) };
      case "import":
        return this.made(await importLayer(layers, job));
      case "identify": {
        const hasher = new ContentHasher(layers.store.files);
        const identity = treeIdentity(this.sourceTree(job.source), toByteString(job.path), hasher);
        return { kind: "identity", identity: JSON.stringify(identity) };
      }
      case "remove":
        for (const path of job.paths) layers.store.files.rmSync(path, { recursive: true, force: true });
        return { kind: "done" };
    }
  }

  private async runFile(job: FileJob): Promise<JobResult> {
    const sources = job.sources.map((source) => (source === null ? undefined : this.sourceTree(source)));
    const { step, base, fresh } = job;
    const outcome = await runFileStep({ step, base, sources, fresh }, this.effects);
    return layerResult(outcome.layer, outcome);
  }

  private made(layer: StoredLayer): JobResult {
    return layerResult(layer, { cached: false, executedAt: this.effects.layers.store.now() });
  }

  private async runRun(job: RunJob, onOutput: (chunk: Buffer) => void): Promise<StoredLayer> {
    const trees = job.sources.map((source) => (source === null ? undefined : this.sourceTree(source)));
    const hasher = new ContentHasher(this.effects.layers.store.files);
    checkIdentities(job, trees, hasher);
    const cacheFolders = job.cacheFolders.map((folder) => folder ?? undefined);
    const { step, base, network, architecture } = job;
    return await runRunStep(
      {
        step,
        base,
        sources: { trees, hasher, secrets: job.secrets, cacheFolders },
        network,
        resolver: job.resolver ?? undefined,
        architecture,
      },
      { ...this.effects, mounter: this.mounter, onOutput },
    );
  }

  private sourceTree(source: SourceSpec): FolderNode {
    const { layers } = this.effects;
    if (source.kind === "chain") return layers.tree(source.layers);
    const filter = source.ignore.length === 0 ? undefined : createIgnoreMatcher(source.ignore);
    return readContext(source.context, layers.store.files, filter);
  }
}

/**
 * The key of a RUN was made before its turn came. What it mounts is hashed again, and laid out against these hashes.
 * @throws rejected `content-changed`
 */
function checkIdentities(job: RunJob, trees: readonly (FolderNode | undefined)[], hasher: ContentHasher): void {
  for (const [index, tree] of trees.entries()) {
    const mount = job.step.mounts[index];
    if (tree === undefined || mount === undefined || !("source" in mount)) continue;
    const found = JSON.stringify(treeIdentity(tree, toByteString(mount.source), hasher));
    if (found === job.identities[index]) continue;
    throw rejected({
      code: "content-changed",
      message: "a file that a RUN mounts changed during the build",
      subject: mount.source,
      hint: "run the build again when nothing writes to the folder",
    });
  }
}

/** What reading a damaged tar looks like. */
const signsOfDamage: ReadonlySet<string> = new Set(["content-changed", "content-unreadable"]);

function layersUnder(job: Job): readonly LayerId[] {
  const ofSource = (source: SourceSpec | null): readonly LayerId[] => (source?.kind === "chain" ? source.layers : []);
  switch (job.kind) {
    case "file":
    case "run":
      return [...job.base, ...job.sources.flatMap(ofSource)];
    case "identify":
      return ofSource(job.source);
    case "import":
    case "compress":
    case "remove":
      return [];
  }
}

function layerResult(
  layer: StoredLayer,
  { cached, executedAt }: { readonly cached: boolean; readonly executedAt: number },
): JobResult {
  return { kind: "layer", layer: layer.id, diffId: layer.diffId, cached, executedAt };
}
