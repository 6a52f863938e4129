/** The use cases of `graph`, `fetch`, `build` and `digests` on this machine: options in, report and exit status out. */
import { malformed, unavailable, type StagewrightError } from "../base/index.js";
import type { Target } from "../graph/index.js";
import { resolveTargets } from "../graph/index.js";
import type { FetchEvent, SourceStore } from "../sources/index.js";
import { fetchSources, openSourceStore } from "../sources/index.js";
import { openStore } from "../engines/index.js";
import { parseMirror } from "../tree/index.js";
import { BuildLogs } from "./build-logs.js";
import type { Download } from "./build-image.js";
import type { TargetResult, TreeBuildEvent } from "./build-tree.js";
import { buildTree } from "./build-tree.js";
import type { OpenedEngine } from "./engine-factory.js";
import { engineSettings, openNativeEngine } from "./engine-factory.js";
import type { FetchReport, ReportTool } from "./fetch-report.js";
import { fetchIntoStore, runFetch } from "./fetch-run.js";
import type { GraphReport } from "./graph-report.js";
import { graphReport, graphStatus } from "./graph-report.js";
import type { LoadedTree } from "./load-tree.js";
import { loadTree } from "./load-tree.js";
import type { Machine } from "./machine.js";
import { defaultStore } from "./machine.js";
import { ownIdentity } from "../sources/index.js";
import type { FetchedSources } from "./target-request.js";
import { thisTool } from "./this-tool.js";

/** 0 done or proven; 1 a negative answer; 2 wrong use or a malformed tree; 3 could not find out. */
export type ExitStatus = 0 | 1 | 2 | 3;

export interface TreeOptions {
  /** Root of the tree. */
  readonly tree: string;
  readonly store: string | undefined;
}

export interface FetchCommandOptions extends TreeOptions {
  readonly words: readonly string[];
  readonly distfiles: string | undefined;
  readonly jobs: number | undefined;
  readonly abort: AbortSignal;
  readonly onProgress: (event: FetchEvent) => void;
}

export interface BuildCommandOptions extends TreeOptions {
  readonly words: readonly string[];
  readonly output: string;
  readonly jobs: number | undefined;
  readonly platform: string | undefined;
  readonly noCache: boolean;
  readonly distfiles: string | undefined;
  readonly secrets: Readonly<Record<string, string>>;
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

export function openTree(options: TreeOptions, machine: Machine): LoadedTree {
  const { files, clock, log, uid } = machine;
  const cache = {
    directory: `${storeFolder(options, machine)}/trees`,
    uid,
    tool: `${thisTool.name} ${thisTool.version}`,
  };
  return loadTree({ fs: files, root: files.realpathSync(options.tree), cache, clock, log });
}

export function storeFolder(options: TreeOptions, machine: Machine): string {
  return options.store ?? defaultStore(machine);
}

export function runGraph(
  options: TreeOptions & { readonly words: readonly string[] },
  machine: Machine,
): { readonly report: GraphReport; readonly status: ExitStatus } {
  const report = graphReport(openTree(options, machine), options.words, thisTool);
  return { report, status: graphStatus(report) };
}

function packagesOf(tree: LoadedTree, words: readonly string[]) {
  const { targets } = tree.graph;
  const ids = words.length === 0 ? [...targets.keys()] : resolveTargets(targets, words);
  return ids.flatMap((id) => {
    const target = targets.get(id);
    return target === undefined ? [] : [{ package: target.package, version: target.version }];
  });
}

const fetchStatus = { done: 0, malformed: 2, rejected: 1, unavailable: 3 } as const;

export async function runFetchCommand(
  options: FetchCommandOptions,
  machine: Machine,
): Promise<{ readonly report: FetchReport; readonly status: ExitStatus }> {
  const tree = openTree(options, machine);
  const { distfiles, jobs, abort, onProgress } = options;
  const { aptSuites } = tree.config;
  const storeOption = storeFolder(options, machine);
  try {
    const report = await runFetch(
      {
        tool: thisTool,
        packages: packagesOf(tree, options.words),
        storeFolder: storeOption,
        ...{ aptSuites, distfiles, jobs, abort, onProgress },
      },
      fetchEffects(machine),
    );
    return { report, status: fetchStatus[report.outcome] };
  } finally {
    await machine.http.close();
  }
}

function fetchEffects(machine: Machine) {
  const { files, processes, clock, http, environment, uid } = machine;
  return { fileSystem: files, processes, clock, http, environment, uid };
}

/**
 * Fetches what the targets' packages need; a source that cannot be had costs only those that need it. The store must
 * stay open while the files are used: copies of files that others could change are in its temporary folder.
 */
async function fetchFor(
  targets: readonly Target[],
  tree: LoadedTree,
  options: BuildCommandOptions,
  machine: Machine,
  openSources: () => SourceStore,
): Promise<FetchedSources> {
  const packages = targets.map((target) => ({ package: target.package, version: target.version }));
  if (packages.every((entry) => entry.package.sources.length === 0)) return { paths: new Map(), errors: new Map() };
  const { distfiles, abort, onProgress } = options;
  const { aptSuites } = tree.config;
  const settings = { tool: thisTool, packages, aptSuites, distfiles, abort, onProgress };
  const { outcomes } = await fetchIntoStore(settings, fetchEffects(machine), openSources());
  const paths = new Map<string, string>();
  const errors = new Map<string, StagewrightError>();
  for (const outcome of outcomes) {
    if (outcome.kind === "fetched") paths.set(outcome.request.sha256, outcome.path);
    else errors.set(outcome.request.sha256, outcome.error);
  }
  return { paths, errors };
}

/** ADD of an address: one source with one mirror. */
async function fetchDownload(
  target: Target,
  { url, sha256, fileName }: Download,
  tree: LoadedTree,
  options: BuildCommandOptions,
  machine: Machine,
  openSources: () => SourceStore,
): Promise<string> {
  const mirror = parseMirror(url);
  if (mirror === undefined || (mirror.kind !== "http" && mirror.kind !== "https")) {
    throw malformed({ code: "bad-address", message: "expected an http or https address", subject: url });
  }
  const { abort, onProgress } = options;
  const { aptSuites } = tree.config;
  const settings = {
    store: openSources(),
    distfiles: [],
    aptSuites,
    environment: machine.environment,
    abort,
    onProgress,
  };
  const request = { package: target.package.folder, name: fileName, sha256, fileName, mirrors: [mirror] };
  const [outcome] = await fetchSources(fetchEffects(machine), settings, [request]);
  if (outcome?.kind === "fetched") return outcome.path;
  throw outcome?.error ?? unavailable({ code: "source-missing", message: "the file could not be had", subject: url });
}

export async function runBuild(
  options: BuildCommandOptions,
  machine: Machine,
): Promise<{ readonly report: BuildReport; readonly status: ExitStatus }> {
  const { files, clock, uid } = machine;
  const tree = openTree(options, machine);
  const store = openStore(storeFolder(options, machine), files, uid, ownIdentity(files));
  let opened: Promise<OpenedEngine> | undefined;
  let sources: SourceStore | undefined;
  const openSources = (): SourceStore => {
    sources ??= openSourceStore(fetchEffects(machine), { folder: store.root, uid });
    return sources;
  };
  const logs = new BuildLogs(store, files);
  const engine = async (): Promise<OpenedEngine> => {
    opened ??= openNativeEngine(
      { ...engineSettings(machine), store: store.root, jobs: options.jobs ?? machine.cores },
      machine,
    );
    return await opened;
  };
  const stop = (): void => {
    void opened?.then((running) => {
      running.engine.close();
    });
  };
  options.abort.addEventListener("abort", stop);
  try {
    const results = await buildTree(
      {
        tree,
        words: options.words,
        outputFolder: options.output,
        platform: options.platform,
        noCache: options.noCache,
        secrets: options.secrets,
      },
      {
        files,
        clock,
        store,
        openEngine: async () => (await engine()).engine,
        alone: async (folder, work) => await (await engine()).alone(folder, work),
        download: (target, wanted) => fetchDownload(target, wanted, tree, options, machine, openSources),
        fetch: (targets) => fetchFor(targets, tree, options, machine, openSources),
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
    await (await opened)?.close();
    sources?.close();
    await machine.http.close();
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

/** 2 over 1 over 3: a proven no outweighs an unknown. */
export function worstStatus(errors: readonly StagewrightError[]): ExitStatus {
  if (errors.some((error) => error.kind === "malformed")) return 2;
  if (errors.some((error) => error.kind === "rejected" || error.kind === "untrusted")) return 1;
  return errors.length > 0 ? 3 : 0;
}
