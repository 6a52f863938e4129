/** Does jobs: the code that runs in a thread or inside the namespaces. */
import type { Processes } from "../../../base/index.js";
import { toByteString } from "../../../base/index.js";
import type { ArchiveOpener } from "../../../graph/index.js";
import { createIgnoreMatcher } from "../../../graph/index.js";
import { OverlayMounter } from "../sandbox/overlay.js";
import { runFileStep } from "../steps/file-step.js";
import { runRunStep } from "../steps/run-step.js";
import { compressLayer } from "../store/layer-compressor.js";
import { importLayer } from "../store/layer-importer.js";
import type { LayerStore, StoredLayer } from "../store/layer-store.js";
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
  readonly runtime: readonly [string, ...string[]];
}

export class JobRunner {
  private readonly mounter: OverlayMounter;

  constructor(private readonly effects: JobEffects) {
    this.mounter = new OverlayMounter(effects.layers, effects.processes, effects.inUserNamespace);
  }

  async run(job: Job, onOutput: (chunk: Buffer) => void): Promise<JobResult> {
    const { layers } = this.effects;
    switch (job.kind) {
      case "file":
        return await this.runFile(job);
      case "run":
        return layerResult(await this.runRun(job, onOutput), false);
      case "compress":
        return { kind: "blob", ...compressLayer(layers, job.diffId) };
      case "import":
        return layerResult(await importLayer(layers, job), false);
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
    const { layer, cached } = await runFileStep({ step: job.step, base: job.base, sources }, this.effects);
    return layerResult(layer, cached);
  }

  private async runRun(job: RunJob, onOutput: (chunk: Buffer) => void): Promise<StoredLayer> {
    const trees = job.sources.map((source) => (source === null ? undefined : this.sourceTree(source)));
    const cacheFolders = job.cacheFolders.map((folder) => folder ?? undefined);
    const { step, base, network, architecture } = job;
    return await runRunStep(
      {
        step,
        base,
        sources: { trees, secrets: job.secrets, cacheFolders },
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

function layerResult(layer: StoredLayer, cached: boolean): JobResult {
  return { kind: "layer", layer: layer.id, diffId: layer.diffId, cached };
}
