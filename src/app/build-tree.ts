/** The use case of `build`: the wanted targets of a tree and all they stand on, each when its dependencies are there. */
import type { Clock, Digest, FileSystem, Json } from "../base/index.js";
import { StagewrightError, malformed, rejected, unavailable } from "../base/index.js";
import type { BuildEvent, Engine, Platform, StepReport, Target } from "../graph/index.js";
import { closureOf, parsePlatform, renderPlatform, resolveTargets } from "../graph/index.js";
import type { Store } from "../engines/index.js";
import { stopsBuild } from "../tree/index.js";
import { readContextStamp, readContextState } from "./context-state.js";
import type { BuiltImage, KnownImage } from "./build-image.js";
import { dependencyImage } from "./dependency-image.js";
import type { Download } from "./build-image.js";
import { buildImage } from "./build-image.js";
import type { LoadedTree } from "./load-tree.js";
import type { NamedContext } from "./named-contexts.js";
import { NamedContexts } from "./named-contexts.js";
import type { FetchedSources } from "./target-request.js";
import { knownImages, targetInputs, targetRequest } from "./target-request.js";
import type { TargetState } from "./target-state.js";
import { TreeState, layoutSignature, targetKey, treeStateName, writeBuiltImage } from "./target-state.js";

export interface BuildTreeOptions {
  readonly tree: LoadedTree;
  /** Ids or unique bare names; empty for all targets. */
  readonly words: readonly string[];
  /** Folder for the layouts: `OUT/STAGE-NAME`. */
  readonly outputFolder: string;
  /** Builds for this platform in place of each package's first. */
  readonly platform: string | undefined;
  readonly noCache: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  /** `--build-context`. */
  readonly contexts: readonly NamedContext[];
}

export interface BuildTreeEffects {
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly store: Store;
  /** Called when the first target has something to do: a build without work starts no engine. */
  readonly openEngine: () => Promise<Engine>;
  /** Gets the sources of these targets' packages into the store. */
  readonly fetch: (targets: readonly Target[]) => Promise<FetchedSources>;
  /** Gets a file that an ADD names by address and hash. */
  readonly download: (target: Target, download: Download) => Promise<string>;
  /** Runs the work while no other process writes to the folder. */
  readonly alone: <T>(folder: string, work: () => T) => Promise<T>;
  readonly onEvent: (event: TreeBuildEvent) => void;
}

export type TreeBuildEvent =
  | BuildEvent
  | { readonly type: "target-planned"; readonly waiting: number; readonly total: number }
  | { readonly type: "target-started"; readonly target: string }
  | { readonly type: "target-ended"; readonly result: TargetResult };

export interface TargetResult {
  readonly id: string;
  readonly platform: string;
  readonly state: "built" | "cached" | "failed" | "skipped";
  readonly digest: Digest | null;
  readonly indexDigest: Digest | null;
  /** Bytes of config and compressed layers. */
  readonly size: number | null;
  readonly seconds: number;
  readonly cached: boolean;
  /** Folder of the layout. */
  readonly layout: string;
  readonly steps: readonly StepReport[];
  /** Why it failed or was skipped. */
  readonly error: StagewrightError | undefined;
}

/**
 * Builds. A target that fails costs those that stand on it; all others are built.
 * @throws malformed `unknown-target`, `ambiguous-target`, `tree-problems`
 */
export async function buildTree(
  options: BuildTreeOptions,
  effects: BuildTreeEffects,
): Promise<readonly TargetResult[]> {
  const { graph } = options.tree;
  const edges = new Map([...graph.targets.values()].map((target) => [target.id, target.dependencies]));
  const wanted = options.words.length === 0 ? [...graph.targets.keys()] : resolveTargets(graph.targets, options.words);
  const closure = closureOf(edges, wanted);
  checkBuildable(options.tree, closure);
  const order = graph.order.filter((id) => closure.has(id));
  const run = new TreeBuild(options, effects, order);
  return await run.run();
}

/** Faults in packages that are not wanted do not stop the build. */
function checkBuildable(tree: LoadedTree, closure: ReadonlySet<string>): void {
  const { graph } = tree;
  const folders = new Set([...closure].map((id) => graph.targets.get(id)?.package.folder));
  const inWay = graph.problems.filter((problem) => {
    const folder = problem.file.split("/").slice(0, 3).join("/");
    return stopsBuild(problem) && (folders.has(folder) || !problem.file.startsWith("packages/"));
  });
  const [first] = inWay;
  if (first === undefined) return;
  throw malformed({
    code: "tree-problems",
    message: `${String(inWay.length)} fault(s) in the wanted targets; the first: ${first.message}`,
    subject: `${first.file}:${String(first.line)}`,
    hint: "`stagewright graph` lists them all",
  });
}

class TreeBuild {
  private readonly state: TreeState;
  private readonly running = new Map<string, Promise<TargetResult>>();
  private sources: Promise<FetchedSources> | undefined;
  private engine: Promise<Engine> | undefined;
  private stale: ReadonlySet<string> = new Set();
  private readonly now: number;
  private readonly contexts: NamedContexts;
  /** What the folders of packages looked like when keys were made of them. */
  private readonly stamps = new Map<string, string>();

  constructor(
    private readonly options: BuildTreeOptions,
    private readonly effects: BuildTreeEffects,
    private readonly order: readonly string[],
  ) {
    this.state = new TreeState(effects.store, treeStateName(options.tree.root, options.outputFolder));
    this.now = effects.clock.now();
    this.contexts = new NamedContexts(options.contexts, effects.files, this.now);
  }

  async run(): Promise<readonly TargetResult[]> {
    const stale = this.staleTargets();
    this.stale = new Set(stale.map(({ id }) => id));
    this.effects.onEvent({ type: "target-planned", waiting: stale.length, total: this.order.length });
    if (stale.length > 0) {
      this.sources = this.effects.fetch(stale);
      this.sources.catch(() => undefined); // each target that waits for it gets the error
    }
    for (const id of this.order) this.running.set(id, this.buildOne(this.target(id)));
    const results = await Promise.all(this.running.values());
    this.state.save();
    return results;
  }

  private target(id: string): Target {
    const target = this.options.tree.graph.targets.get(id);
    if (target === undefined) throw new Error(`no target ${id}`);
    return target;
  }

  /** Targets whose own inputs changed since they were built, and all that stand on one of them. */
  private staleTargets(): readonly Target[] {
    const stale = new Set<string>();
    for (const id of this.order) {
      const target = this.target(id);
      const digests = target.dependencies.map((dependency) => this.state.target(dependency)?.digest);
      const known =
        digests.every((digest) => digest !== undefined) && !target.dependencies.some((other) => stale.has(other));
      if (!known || !this.isCurrent(target, digests)) stale.add(id);
    }
    return this.order.filter((id) => stale.has(id)).map((id) => this.target(id));
  }

  private isCurrent(target: Target, dependencies: readonly Digest[]): boolean {
    const state = this.state.target(target.id);
    if (this.options.noCache || state?.key !== this.keyOf(target, dependencies)) return false;
    return state.layout === layoutSignature(this.layoutFolder(target), this.effects.files);
  }

  private platformOf(target: Target): Platform {
    return parsePlatform(this.options.platform ?? target.package.platforms[0] ?? "linux/amd64", target.id);
  }

  private layoutFolder(target: Target): string {
    const { outputFolder, platform } = this.options;
    const foreign = platform !== undefined && platform !== target.package.platforms[0];
    return foreign ? `${outputFolder}/${platform.replaceAll("/", "-")}/${target.id}` : `${outputFolder}/${target.id}`;
  }

  private keyOf(target: Target, dependencies: readonly Digest[]): string {
    const { tree } = this.options;
    const { folder } = target.package;
    const root = `${tree.root}/${folder}`;
    const { state, stamp } = readContextState(root, this.effects.files, this.state.context(folder), this.now);
    this.state.setContext(folder, state);
    // The first look counts: whatever changes afterwards is one change too many.
    if (!this.stamps.has(folder)) this.stamps.set(folder, stamp);
    const platform = this.platformOf(target);
    const inputs: Json = {
      ...targetInputs(tree, target),
      context: state.content,
      platform: renderPlatform(platform),
      dependencies,
      contexts: this.contexts.identity(platform),
    };
    return targetKey(inputs);
  }

  /** @throws rejected `context-changed` when something wrote to what was read, though it put it back afterwards. */
  private checkUntouched(target: Target): void {
    const { folder } = target.package;
    const same =
      readContextStamp(`${this.options.tree.root}/${folder}`, this.effects.files) === this.stamps.get(folder);
    if (!same || !this.contexts.areUntouched()) throw changedMeanwhile(target);
  }

  private async buildOne(target: Target): Promise<TargetResult> {
    // Nothing below it is stale either: its dependencies are what they were.
    if (!this.stale.has(target.id)) return this.cachedResult(target);
    const digests: Digest[] = [];
    for (const id of target.dependencies) {
      const digest = (await this.running.get(id))?.digest ?? null;
      if (digest === null) return this.ended(target, { state: "skipped", error: skippedBecause(id) });
      digests.push(digest);
    }
    try {
      if (this.isCurrent(target, digests)) return this.cachedResult(target);
      return await this.execute(target, digests);
    } catch (thrown) {
      if (!(thrown instanceof StagewrightError)) throw thrown;
      return this.ended(target, { state: "failed", error: thrown });
    }
  }

  private cachedResult(target: Target): TargetResult {
    const state = this.state.target(target.id);
    if (state === undefined) throw new Error(`no state of ${target.id}`);
    return this.ended(target, { state: "cached", image: state, seconds: 0 });
  }

  private async execute(target: Target, dependencies: readonly Digest[]): Promise<TargetResult> {
    const key = this.keyOf(target, dependencies);
    const begun = this.effects.clock.monotonic();
    // One whose folder changed after the plan was made is not among those whose sources were asked for.
    this.sources ??= this.effects.fetch([target]);
    const sources = await this.sources;
    this.engine ??= this.effects.openEngine();
    const engine = await this.engine;
    this.effects.onEvent({ type: "target-started", target: target.id });
    const request = targetRequest({
      tree: this.options.tree,
      target,
      platform: this.platformOf(target),
      sources,
      images: knownImages(this.options.tree, target, (id) => this.builtImage(id, engine)),
      files: this.effects.files,
      layoutFolder: this.layoutFolder(target),
      noCache: this.options.noCache,
      secrets: this.options.secrets,
      contexts: this.contexts,
    });
    const { files, onEvent, alone } = this.effects;
    const download = (wanted: Download): Promise<string> => this.effects.download(target, wanted);
    const image = await buildImage(request, { engine, files, onEvent, alone, download });
    this.checkUntouched(target);
    const seconds = (this.effects.clock.monotonic() - begun) / 1000;
    this.remember(target, key, image, seconds);
    const state = image.steps.some((step) => step.state === "executed") ? "built" : "cached";
    return this.ended(target, { state, image, seconds, steps: image.steps });
  }

  private remember(target: Target, key: string, image: BuiltImage, seconds: number): void {
    writeBuiltImage(this.effects.store, key, image);
    const layout = layoutSignature(this.layoutFolder(target), this.effects.files) ?? "";
    const { digest, indexDigest, size } = image;
    const state: TargetState = { key, digest, indexDigest, size, layout, seconds };
    this.state.setTarget(target.id, state);
    this.state.save();
  }

  private builtImage(id: string, engine: Engine): KnownImage {
    const target = this.target(id);
    const state = this.state.target(id);
    if (state === undefined) throw new Error(`no state of ${id}`);
    const request = { id, state, layoutFolder: this.layoutFolder(target), platform: this.platformOf(target) };
    return dependencyImage(request, { ...this.effects, engine });
  }

  private ended(
    target: Target,
    outcome: {
      readonly state: TargetResult["state"];
      readonly image?: { readonly digest: Digest; readonly indexDigest: Digest; readonly size: number };
      readonly seconds?: number;
      readonly steps?: readonly StepReport[];
      readonly error?: StagewrightError;
    },
  ): TargetResult {
    const result: TargetResult = {
      id: target.id,
      platform: renderPlatform(this.platformOf(target)),
      state: outcome.state,
      digest: outcome.image?.digest ?? null,
      indexDigest: outcome.image?.indexDigest ?? null,
      size: outcome.image?.size ?? null,
      seconds: outcome.seconds ?? 0,
      cached: outcome.state === "cached",
      layout: this.layoutFolder(target),
      steps: outcome.steps ?? [],
      error: outcome.error,
    };
    this.effects.onEvent({ type: "target-ended", result });
    return result;
  }
}

function changedMeanwhile(target: Target): StagewrightError {
  return rejected({
    code: "context-changed",
    message: "a file of the package changed while it was built",
    subject: target.package.folder,
    hint: "run the build again when nothing writes to the folder",
  });
}

function skippedBecause(dependency: string): StagewrightError {
  return unavailable({
    code: "dependency-failed",
    message: `not built: ${dependency} failed`,
    subject: dependency,
  });
}
