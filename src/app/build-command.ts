/** The use case of `build` on this machine. */
import { unavailable } from "../base/index.js";
import { openStore } from "../engines/index.js";
import { parsePlatform, renderPlatform } from "../graph/index.js";
import type { FetchEvent } from "../sources/index.js";
import { ownIdentity } from "../sources/index.js";
import { BuildLogs } from "./build-logs.js";
import { BuildSources } from "./build-sources.js";
import type { TargetResult, TreeBuildEvent } from "./build-tree.js";
import { buildTree } from "./build-tree.js";
import type { OpenedEngine } from "./engine-factory.js";
import { engineSettings, hasLeftovers, openNativeEngine } from "./engine-factory.js";
import type { ReportTool } from "./fetch-report.js";
import type { Machine } from "./machine.js";
import type { NamedContext } from "./named-contexts.js";
import { thisTool } from "./this-tool.js";
import type { ExitStatus, TreeOptions } from "./tree-options.js";
import { openTree, storeFolder, worstStatus } from "./tree-options.js";

export interface BuildCommandOptions extends TreeOptions {
  readonly words: readonly string[];
  readonly output: string;
  readonly jobs: number | undefined;
  /** In any spelling of `--platform`: `linux/arm64`, `arm64`, `linux/aarch64` are one. */
  readonly platform: string | undefined;
  readonly noCache: boolean;
  readonly distfiles: string | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly contexts: readonly NamedContext[];
  readonly abort: AbortSignal;
  readonly onEvent: (event: TreeBuildEvent) => void;
  readonly onProgress: (event: FetchEvent) => void;
}

export interface BuildReport {
  readonly tool: ReportTool;
  readonly engine: string;
  readonly targets: readonly ReportedTarget[];
  readonly reasons?: readonly string[];
}

export interface ReportedTarget extends Omit<TargetResult, "error" | "steps"> {
  /** File with all that its RUNs said; null where none ran. */
  readonly log: string | null;
  readonly error?: { readonly code: string; readonly message: string; readonly subject: string | undefined };
  readonly steps: TargetResult["steps"];
}

/** An engine that starts when it is first needed: a build with nothing to do starts none. */
class LazyEngine {
  private opened: Promise<OpenedEngine> | undefined;
  private stopped = false;

  constructor(private readonly start: () => Promise<OpenedEngine>) {}

  /** @throws unavailable `interrupted` after {@link stop} */
  async get(): Promise<OpenedEngine> {
    if (this.stopped) throw unavailable({ code: "interrupted", message: "the build was stopped" });
    this.opened ??= this.start();
    const running = await this.opened;
    if (this.stopped) running.engine.close();
    return running;
  }

  /** Ends what runs at once. */
  stop(): void {
    this.stopped = true;
    this.opened?.then(
      (running) => {
        running.engine.close();
      },
      () => undefined, // whoever asked for the engine has the reason
    );
  }

  async close(): Promise<void> {
    // One that could not be opened needs no closing; whoever asked for it has the reason.
    const running = await this.opened?.catch(() => undefined);
    await running?.close();
  }
}

/** @throws malformed `bad-platform`; what {@link buildTree} throws */
export async function runBuild(
  options: BuildCommandOptions,
  machine: Machine,
): Promise<{ readonly report: BuildReport; readonly status: ExitStatus }> {
  const { files, clock, uid } = machine;
  const platform =
    options.platform === undefined ? undefined : renderPlatform(parsePlatform(options.platform, "--platform"));
  const tree = openTree(options, machine);
  const store = openStore(storeFolder(options, machine), { files, clock, uid, owner: ownIdentity(files) });
  const logs = new BuildLogs(store, files);
  const sources = new BuildSources(store.root, tree, options, machine);
  const settings = { ...engineSettings(machine), store: store.root, jobs: options.jobs ?? machine.cores };
  const engine = new LazyEngine(() => openNativeEngine(settings, machine));
  const stop = (): void => {
    engine.stop();
  };
  options.abort.addEventListener("abort", stop);
  try {
    // A build with nothing to do takes the time only where a process was killed: what it left may be large.
    if (hasLeftovers(store, machine)) await engine.get();
    const results = await buildTree(
      { ...options, platform, tree, outputFolder: options.output },
      {
        ...{ files, clock, store },
        openEngine: async () => (await engine.get()).engine,
        alone: async (folder, work) => await (await engine.get()).alone(folder, work),
        download: (target, wanted) => sources.download(target, wanted),
        fetch: (targets) => sources.fetch(targets),
        onEvent: (event) => {
          logs.take(event);
          options.onEvent(event);
        },
      },
    );
    return buildReport(results, logs);
  } finally {
    options.abort.removeEventListener("abort", stop);
    logs.close();
    await engine.close();
    store.removeTemporaryFolder();
    await sources.close();
  }
}

function buildReport(results: readonly TargetResult[], logs: BuildLogs): { report: BuildReport; status: ExitStatus } {
  const targets = results.map(({ error, ...result }): ReportedTarget => {
    if (error === undefined) return { ...result, log: result.cached ? null : logs.path(result.id) };
    const { code, message, subject } = error;
    return { ...result, log: logs.path(result.id), error: { code, message, subject } };
  });
  const errors = results.flatMap(({ state, error }) => (state === "failed" && error !== undefined ? [error] : []));
  const report = { tool: thisTool, engine: "native", targets };
  if (errors.length === 0) return { report, status: 0 };
  const reasons = errors.map(({ subject, message }) => (subject === undefined ? message : `${subject}: ${message}`));
  return { report: { ...report, reasons }, status: worstStatus(errors) };
}
