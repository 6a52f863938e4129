/** The native engine: walks a definition and gives its steps to threads and sandboxes as soon as their inputs are there. */
import type { Clock, Digest } from "../../base/index.js";
import { StagewrightError, canonicalJson, digestOf, hexOf, unavailable } from "../../base/index.js";
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
import { compressedPath } from "./store/layer-compressor.js";
import { damagedCode } from "./store/store.js";
import type { LayerId, LayerStore } from "./store/layer-store.js";
import { SchedulerMemo } from "./scheduler-memo.js";
import { foreignPlatform, missingInput } from "./refusals.js";
import { runKey } from "./step-key.js";

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

interface StepResult {
  readonly chain: readonly LayerId[];
  readonly report: StepReport;
}

export class NativeEngine implements Engine {
  readonly name = "native";
  private readonly session: Session = { memo: new SchedulerMemo(), executed: new Set() };

  constructor(private readonly effects: NativeEngineEffects) {}

  /** A file of the store that turns out to be damaged is removed where it is found; then the build starts over. */
  async build(input: BuildInput, onEvent: (event: BuildEvent) => void): Promise<BuildOutput> {
    const mended = new Map<string, number>();
    for (;;) {
      try {
        return await new TargetBuild(input, onEvent, this.effects, this.session).run();
      } catch (thrown) {
        const damage = damagedFile(thrown);
        const times = damage === undefined ? mendings : (mended.get(damage) ?? 0);
        if (damage === undefined || times === mendings) throw thrown;
        mended.set(damage, times + 1);
      }
    }
  }

  blobPath(layer: ImageLayer): string {
    return compressedPath(this.effects.layers, layer.diffId);
  }

  close(): void {
    void this.effects.threads.close();
    void this.effects.sandboxes.close();
    this.effects.cacheLocks.close();
  }
}

/** A file may be found damaged once more by work that had begun before; beyond that what it is made from is not to be had. */
const mendings = 3;

/** What the builds of one engine share. */
interface Session {
  /** Work that is being done now. */
  readonly memo: SchedulerMemo;
  /** Keys of the RUNs that this engine has executed: `noCache` asks for each once, not once for each target. */
  readonly executed: Set<string>;
}

/** One target while it is built. Every promise is started once; results are awaited where they are needed. */
class TargetBuild {
  private readonly results = new Map<number, Promise<StepResult>>();
  private readonly images = new Map<string, Promise<readonly LayerId[]>>();

  constructor(
    private readonly input: BuildInput,
    private readonly onEvent: (event: BuildEvent) => void,
    private readonly effects: NativeEngineEffects,
    private readonly session: Session,
  ) {}

  async run(): Promise<BuildOutput> {
    const { steps, result } = this.input.definition;
    for (const [index, step] of steps.entries()) this.results.set(index, this.runStep(index, step));
    await allEnded(this.results.values());
    const chain = await this.chainOf(result);
    this.onEvent({ type: "compressing", target: this.input.target });
    const layers = await allEnded(chain.map((layer) => this.compressed(layer)));
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
    for (const [index, layer] of image.layers.entries()) {
      const key = importKey(image.layers.slice(0, index + 1));
      const record = layers.store.useRecord("steps", key) as { layer?: string } | undefined;
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
      const result = layerResult(await this.inThread(job));
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
    const result = await this.placed(step, () =>
      step.kind === "run" ? this.runRun(index, step, base) : this.runFile(index, step, base),
    );
    const report: StepReport = { line: origin.line, text: origin.text, ...result.report };
    this.onEvent({ type: "step-ended", target: this.input.target, step: index, report });
    return { chain: [...base, result.layer], report };
  }

  /** Errors of a step name its place in the Containerfile. */
  private async placed(step: Step, work: () => Promise<LayerOutcome>): Promise<LayerOutcome> {
    const { fileName } = this.input;
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof StagewrightError) || thrown.subject?.startsWith(`${fileName}:`) === true) throw thrown;
      const { kind, code, subject, hint } = thrown;
      const about = subject === undefined ? "" : `${subject}: `;
      const message = `${step.origin.text}\n    ${about}${thrown.message}`;
      const place = `${fileName}:${String(step.origin.line)}`;
      throw new StagewrightError(kind, { code, message, subject: place, hint, cause: thrown });
    }
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
    const job: Job = { kind: "file", step, base, sources, fresh: this.input.noCache };
    this.started(index, step);
    const begun = this.effects.clock.monotonic();
    const result = layerResult(await this.inThread(job, { ...job, step: stepIdentity(step, () => null) }));
    const state = result.cached ? ("reused" as const) : ("executed" as const);
    const seconds = (this.effects.clock.monotonic() - begun) / 1000;
    const { layer, diffId, executedAt } = result;
    return { layer, report: { diffId, state, executedAt, seconds, network: "none" } };
  }

  private async runRun(index: number, step: RunStep, base: readonly LayerId[]): Promise<LayerOutcome> {
    const network = this.grantedNetwork(step);
    const sources = await Promise.all(
      step.mounts.map(async (mount) => ("from" in mount && mount.from ? await this.sourceSpec(mount.from) : null)),
    );
    const identities = await this.identitiesOf(step, sources);
    const key = this.keyOfRun(step, base, identities, network);
    const prepared: PreparedRun = { base, sources, identities, network, key };
    const execute = (): Promise<LayerOutcome> => this.executeRun(index, step, prepared);
    return await this.session.memo.once(key, async () => {
      const mayReuse = !this.input.noCache || this.session.executed.has(key);
      const known = mayReuse ? this.recordedRun(key, network) : undefined;
      return known ?? (await execute());
    });
  }

  private recordedRun(key: string, network: StepReport["network"]): LayerOutcome | undefined {
    const { layers } = this.effects;
    const record = layers.store.useRecord("steps", key) as RunRecord | undefined;
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
      const { base, sources, identities, network } = run;
      const resolver = network === "host" ? this.effects.resolver() : null;
      const { secrets } = this.input;
      const cacheFolders = locks.folders;
      const inputs = { base, sources, identities, secrets, cacheFolders };
      const job: Job = { kind: "run", step, ...inputs, network, resolver, architecture };
      const result = layerResult(
        await sandboxes.run(job, (chunk) => {
          this.onEvent({ type: "step-output", target: this.input.target, step: index, chunk });
        }),
      );
      const seconds = (clock.monotonic() - begun) / 1000;
      const record: RunRecord = { layer: result.layer, executedAt, seconds };
      layers.store.writeRecord("steps", run.key, record);
      this.session.executed.add(run.key);
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

  /** What each mount of the step shows now. The job compares it with what it mounts. */
  private async identitiesOf(step: RunStep, sources: readonly (SourceSpec | null)[]): Promise<(string | null)[]> {
    return await Promise.all(
      sources.map(async (source, index) => {
        const mount = step.mounts[index];
        if (source === null || mount === undefined || !("source" in mount)) return null;
        const job: Job = { kind: "identify", source, path: mount.source };
        const result = await this.inThread(job);
        return result.kind === "identity" ? result.identity : null;
      }),
    );
  }

  private keyOfRun(
    step: RunStep,
    base: readonly LayerId[],
    mounts: readonly (string | null)[],
    network: "none" | "host",
  ): string {
    const { layers, architecture } = this.effects;
    const platform = renderPlatform(this.input.definition.platform);
    const chain = base.map((id) => layers.get(id).diffId);
    return runKey(step, { chain, mounts, network, platform, architecture, target: this.input.target });
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
    const { diffId } = this.effects.layers.get(layer);
    const result = await this.inThread({ kind: "compress", diffId });
    if (result.kind !== "blob") throw unexpected(result);
    return { digest: result.digest, size: result.size, diffId };
  }

  /** @param identity the job without what does not decide its result: equal ones at the same time are done once. */
  private async inThread(job: Job, identity: object = job): Promise<JobResult> {
    return await this.session.memo.once(JSON.stringify(identity), () => this.effects.threads.run(job));
  }
}

/** The file that was found damaged, where an error or what caused it says so. */
function damagedFile(thrown: unknown): string | undefined {
  if (!(thrown instanceof StagewrightError) || thrown.code !== damagedCode) return undefined;
  return damagedFile(thrown.cause) ?? thrown.subject;
}

/** The results, once all has ended: nothing of a build that failed goes on beside its next attempt. */
async function allEnded<T>(work: Iterable<Promise<T>>): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
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
  readonly identities: readonly (string | null)[];
  readonly network: "none" | "host";
  readonly key: string;
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
