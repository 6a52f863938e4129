/** The native engine: walks a definition and gives its steps to threads and sandboxes as soon as their inputs are there. */
import type { Clock, Digest, Json } from "../../base/index.js";
import { canonicalJson, digestOf, hexOf, malformed, unavailable } from "../../base/index.js";
import type {
  BuildEvent,
  BuildInput,
  BuildOutput,
  Engine,
  FileStep,
  ImageInput,
  ImageLayer,
  Platform,
  RunStep,
  SourceRef,
  StateRef,
  Step,
  StepReport,
} from "../../graph/index.js";
import { renderPlatform, stepIdentity } from "../../graph/index.js";
import type { Job, JobResult, SourceSpec } from "./jobs/job.js";
import type { WorkerPool } from "./jobs/worker-pool.js";
import type { CacheLocks } from "./store/cache-locks.js";
import { compressedPath, findCompressed } from "./store/layer-compressor.js";
import type { LayerId, LayerStore } from "./store/layer-store.js";
import { SchedulerMemo } from "./scheduler-memo.js";

export interface NativeEngineEffects {
  readonly layers: LayerStore;
  /** Threads: file steps, compression. */
  readonly threads: WorkerPool;
  /** Processes in namespaces: RUN. */
  readonly sandboxes: WorkerPool;
  readonly cacheLocks: CacheLocks;
  readonly clock: Clock;
  /** OCI architecture of the machine's kernel. */
  readonly architecture: string;
  /** Whether the kernel runs programs of a platform. */
  readonly canRun: (platform: Platform) => boolean;
  /** Text of the machine's resolver configuration, for RUNs that may use the network. */
  readonly resolver: () => string;
}

/** Changes when the same step would give other bytes. Part of every key. */
const stepFormat = "native-1";

interface StepResult {
  readonly chain: readonly LayerId[];
  readonly report: StepReport;
}

export class NativeEngine implements Engine {
  readonly name = "native";
  private readonly memo = new SchedulerMemo();

  constructor(private readonly effects: NativeEngineEffects) {}

  async build(input: BuildInput, onEvent: (event: BuildEvent) => void): Promise<BuildOutput> {
    return await new TargetBuild(input, onEvent, this.effects, this.memo).run();
  }

  blobPath(layer: ImageLayer): string {
    return compressedPath(this.effects.layers, layer.diffId);
  }

  close(): void {
    this.effects.threads.close();
    this.effects.sandboxes.close();
  }
}

/** One target while it is built. Every promise is started once; results are awaited where they are needed. */
class TargetBuild {
  private readonly results = new Map<number, Promise<StepResult>>();
  private readonly images = new Map<string, Promise<readonly LayerId[]>>();

  constructor(
    private readonly input: BuildInput,
    private readonly onEvent: (event: BuildEvent) => void,
    private readonly effects: NativeEngineEffects,
    private readonly memo: SchedulerMemo,
  ) {}

  async run(): Promise<BuildOutput> {
    const { steps, result } = this.input.definition;
    for (const [index, step] of steps.entries()) this.results.set(index, this.runStep(index, step));
    const settled = await Promise.allSettled(this.results.values());
    for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
    const chain = await this.chainOf(result);
    this.onEvent({ type: "compressing", target: this.input.target });
    const layers = await Promise.all(chain.map((layer) => this.compressed(layer)));
    this.rememberImage(chain);
    const reports = await Promise.all([...this.results.values()].map(async (step) => (await step).report));
    return { layers, steps: reports };
  }

  private async chainOf(state: StateRef): Promise<readonly LayerId[]> {
    switch (state.kind) {
      case "scratch":
        return [];
      case "image":
        return await this.imageChain(state.image);
      case "step":
        return (await this.stepResult(state.step)).chain;
    }
  }

  private async stepResult(index: number): Promise<StepResult> {
    const result = this.results.get(index);
    if (result === undefined) throw new Error(`step ${String(index)} is used before it is defined`);
    return await result;
  }

  private imageChain(name: string): Promise<readonly LayerId[]> {
    let chain = this.images.get(name);
    if (chain === undefined) {
      const image = this.input.images.get(name);
      if (image === undefined) throw missingInput("image", name);
      chain = this.importImage(image);
      this.images.set(name, chain);
    }
    return chain;
  }

  /** Layers of an image, with the times that an image keeps. Blobs that the store has not seen are checked and unpacked. */
  private async importImage(image: ImageInput): Promise<readonly LayerId[]> {
    const chain: LayerId[] = [];
    const { layers } = this.effects;
    for (const layer of image.layers) {
      const key = importKey(image.layers.slice(0, image.layers.indexOf(layer) + 1));
      const record = layers.store.readRecord("steps", key) as { layer?: string } | undefined;
      const known = record?.layer === undefined ? undefined : layers.find(record.layer);
      if (known !== undefined) {
        chain.push(known.id);
        continue;
      }
      const { digest, diffId } = layer;
      const job: Job = {
        kind: "import",
        path: image.blobPath(layer),
        digest,
        diffId,
        compressed: true,
        below: [...chain],
      };
      const result = layerResult(await this.memo.once(JSON.stringify(job), () => this.effects.threads.run(job)));
      layers.store.writeRecord("steps", key, { layer: result.layer });
      chain.push(result.layer);
    }
    return chain;
  }

  /** The layers of what was built, under the key by which a later target asks for them. */
  private rememberImage(chain: readonly LayerId[]): void {
    const { layers } = this.effects;
    const seen: { diffId: Digest }[] = [];
    for (const id of chain) {
      seen.push({ diffId: layers.get(id).diffId });
      const key = importKey(seen);
      if (layers.store.readRecord("steps", key) === undefined) {
        layers.store.writeRecord("steps", key, { layer: layers.asImported(id).id });
      }
    }
  }

  private async runStep(index: number, step: Step): Promise<StepResult> {
    const { origin } = step;
    const base = await this.chainOf(step.base);
    const result = step.kind === "run" ? await this.runRun(index, step, base) : await this.runFile(index, step, base);
    const report: StepReport = { line: origin.line, text: origin.text, ...result.report };
    this.onEvent({ type: "step-ended", target: this.input.target, step: index, report });
    return { chain: [...base, result.layer], report };
  }

  private started(index: number, step: Step): void {
    const { line, text } = step.origin;
    this.onEvent({ type: "step-started", target: this.input.target, step: index, line, text });
  }

  private async runFile(index: number, step: FileStep, base: readonly LayerId[]): Promise<LayerOutcome> {
    const sources: (SourceSpec | null)[] = [];
    for (const action of step.actions) {
      sources.push(action.kind === "copy" ? await this.sourceSpec(action.from) : null);
    }
    const job: Job = { kind: "file", step, base, sources };
    this.started(index, step);
    const begun = this.effects.clock.monotonic();
    const executedAt = this.effects.clock.now();
    const result = layerResult(await this.memo.once(jobKey(job), () => this.effects.threads.run(job)));
    const state = result.cached ? ("reused" as const) : ("executed" as const);
    const seconds = (this.effects.clock.monotonic() - begun) / 1000;
    const { layer, diffId } = result;
    return { layer, report: { diffId, state, executedAt, seconds, network: "none" } };
  }

  private async runRun(index: number, step: RunStep, base: readonly LayerId[]): Promise<LayerOutcome> {
    const network = this.grantedNetwork(step);
    const sources = await Promise.all(
      step.mounts.map(async (mount) => ("from" in mount && mount.from ? await this.sourceSpec(mount.from) : null)),
    );
    const key = await this.runKey(step, base, sources, network);
    const execute = (): Promise<LayerOutcome> => this.executeRun(index, step, { base, sources, network, key });
    return await this.memo.once(key, async () => {
      const known = this.input.noCache ? undefined : this.recordedRun(key, network);
      return known ?? (await execute());
    });
  }

  private recordedRun(key: string, network: StepReport["network"]): LayerOutcome | undefined {
    const { layers } = this.effects;
    const record = layers.store.readRecord("steps", key) as RunRecord | undefined;
    const layer = record === undefined ? undefined : layers.find(record.layer);
    if (record === undefined || layer === undefined) return undefined;
    const { executedAt, seconds } = record;
    return { layer: layer.id, report: { diffId: layer.diffId, state: "reused", executedAt, seconds, network } };
  }

  private async executeRun(index: number, step: RunStep, run: PreparedRun): Promise<LayerOutcome> {
    const { platform } = this.input.definition;
    if (!this.effects.canRun(platform)) throw foreignPlatform(platform);
    const { layers, sandboxes, clock, architecture, cacheLocks } = this.effects;
    const locks = await cacheLocks.acquire(this.input.target, step.mounts);
    try {
      this.started(index, step);
      const begun = clock.monotonic();
      const executedAt = clock.now();
      const { base, sources, network } = run;
      const resolver = network === "host" ? this.effects.resolver() : null;
      const { secrets } = this.input;
      const cacheFolders = locks.folders;
      const job: Job = { kind: "run", step, base, sources, secrets, cacheFolders, network, resolver, architecture };
      const result = layerResult(
        await sandboxes.run(job, (chunk) => {
          this.onEvent({ type: "step-output", target: this.input.target, step: index, chunk });
        }),
      );
      const seconds = (clock.monotonic() - begun) / 1000;
      const record: RunRecord = { layer: result.layer, executedAt, seconds };
      layers.store.writeRecord("steps", run.key, record);
      return {
        layer: result.layer,
        report: { diffId: result.diffId, state: "executed", executedAt, seconds, network },
      };
    } finally {
      locks.release();
    }
  }

  /** @throws malformed `network-not-allowed` when a RUN asks for a network that the policy does not grant. */
  private grantedNetwork(step: RunStep): "none" | "host" {
    return step.network !== "none" && this.input.networkAllowed ? "host" : "none";
  }

  private async runKey(
    step: RunStep,
    base: readonly LayerId[],
    sources: readonly (SourceSpec | null)[],
    network: string,
  ): Promise<string> {
    const { layers, threads, architecture } = this.effects;
    const mounts = await Promise.all(
      sources.map(async (source, index) => {
        const mount = step.mounts[index];
        if (source === null || mount === undefined || !("source" in mount)) return null;
        const job: Job = { kind: "identify", source, path: mount.source };
        const result = await this.memo.once(JSON.stringify(job), () => threads.run(job));
        return result.kind === "identity" ? result.identity : null;
      }),
    );
    const command = stepIdentity(step, () => null);
    const scope = step.mounts.some((mount) => mount.kind === "cache") ? this.input.target : null;
    const chain = base.map((id) => layers.get(id).diffId);
    const parts: Json = { stepFormat, command, mounts, network, architecture, chain, scope };
    return hexOf(digestOf(canonicalJson(parts)));
  }

  private async sourceSpec(source: SourceRef): Promise<SourceSpec> {
    if (source.kind === "context") {
      const context = this.input.contexts.get(source.name);
      if (context === undefined) throw missingInput("context", source.name === "" ? "build context" : source.name);
      const { folder, placed } = context;
      return { kind: "context", context: { folder, placed }, ignore: context.ignore };
    }
    if (source.kind === "download") {
      const download = this.input.downloads.get(source.url);
      if (download === undefined) throw missingInput("download", source.url);
      const placed = [{ path: source.fileName, ...download, mode: 0o600 }];
      return { kind: "context", context: { folder: undefined, placed }, ignore: [] };
    }
    return { kind: "chain", layers: await this.chainOf(source) };
  }

  private async compressed(layer: LayerId): Promise<ImageLayer> {
    const { layers, threads } = this.effects;
    const { diffId } = layers.get(layer);
    const known = findCompressed(layers, diffId);
    if (known !== undefined) return { ...known, diffId };
    const job: Job = { kind: "compress", diffId };
    const result = await this.memo.once(JSON.stringify(job), () => threads.run(job));
    if (result.kind !== "blob") throw unexpected(result);
    return { digest: result.digest, size: result.size, diffId };
  }
}

interface LayerOutcome {
  readonly layer: LayerId;
  readonly report: Omit<StepReport, "line" | "text">;
}

interface RunRecord {
  readonly layer: LayerId;
  readonly executedAt: number;
  readonly seconds: number;
}

interface PreparedRun {
  readonly base: readonly LayerId[];
  readonly sources: readonly (SourceSpec | null)[];
  readonly network: "none" | "host";
  readonly key: string;
}

function jobKey(job: Job & { readonly kind: "file" }): string {
  return JSON.stringify({ ...job, step: stepIdentity(job.step, () => null) });
}

function importKey(layers: readonly { readonly diffId: Digest }[]): string {
  return hexOf(digestOf(canonicalJson({ format: "import-1", layers: layers.map((layer) => layer.diffId) })));
}

function layerResult(result: JobResult): JobResult & { kind: "layer" } {
  if (result.kind !== "layer") throw unexpected(result);
  return result;
}

function unexpected(result: JobResult): Error {
  return unavailable({ code: "worker-confused", message: `a worker answered with ${result.kind}` });
}

function foreignPlatform(platform: Platform): Error {
  return unavailable({
    code: "foreign-platform",
    message: `this machine does not run programs of ${renderPlatform(platform)}`,
    subject: renderPlatform(platform),
    hint: "install an emulator: apt-get install qemu-user-static binfmt-support",
  });
}

function missingInput(kind: string, name: string): Error {
  return malformed({
    code: `missing-${kind}`,
    message: `the Containerfile needs the ${kind} ${JSON.stringify(name)}, which was not given`,
    subject: name,
    hint: `give it with --build-context ${name}=DIR`,
  });
}
