import { malformed } from "../base/index.js";
import type { FileSystem } from "../base/index.js";
import {
  fetchSources,
  openSourceStore,
  type FetchEffects,
  type FetchSettings,
  type SourceOutcome,
  type SourceStore,
} from "../sources/index.js";
import { makeFetchReport, type FetchReport, type ReportTool } from "./fetch-report.js";
import { planFetchRequests, type PackageToFetch } from "./fetch-requests.js";

export interface FetchOptions extends Pick<
  FetchSettings,
  "aptSuites" | "jobs" | "jobsPerHost" | "retry" | "timeOuts" | "sizeLimit" | "abort" | "onProgress"
> {
  readonly tool: ReportTool;
  readonly packages: readonly PackageToFetch[];
  /** `--store`: the sources are in its `sources/sha256`. */
  readonly storeFolder: string;
  /** `--distfiles`: asked first. STAGEWRIGHT_DISTFILES of the environment is asked next. */
  readonly distfiles?: string | undefined;
}

export interface RunFetchEffects extends FetchEffects {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/**
 * The use case of `stagewright fetch`: every source of the packages into the store. Failures are in the report.
 * @throws malformed `no-distfiles`; unavailable `interrupted`, `store-not-writable`, `store-not-private`, `disk-full`
 */
export async function runFetch(options: FetchOptions, effects: RunFetchEffects): Promise<FetchReport> {
  const store = openSourceStore(effects, { folder: options.storeFolder, uid: effects.uid });
  try {
    return (await fetchIntoStore(options, effects, store)).report;
  } finally {
    store.close();
  }
}

/** {@link runFetch} with a store that stays open, for those who go on to use the files: the outcomes have their paths. */
export async function fetchIntoStore(
  options: Omit<FetchOptions, "storeFolder">,
  effects: RunFetchEffects,
  store: SourceStore,
): Promise<{ readonly report: FetchReport; readonly outcomes: readonly SourceOutcome[] }> {
  const distfiles = distfilesFolders(effects.fileSystem, options.distfiles, effects.environment);
  const { requests, unusable } = planFetchRequests(options.packages);
  const settings = { ...options, store, distfiles, environment: effects.environment };
  const outcomes = await fetchSources(effects, settings, requests);
  return { report: makeFetchReport(options.tool, outcomes, unusable), outcomes };
}

function distfilesFolders(
  files: FileSystem,
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const named: readonly (readonly [string, string | undefined])[] = [
    ["--distfiles", option],
    ["STAGEWRIGHT_DISTFILES", environment["STAGEWRIGHT_DISTFILES"]],
  ];
  return named.flatMap(([name, folder]) => {
    if (folder === undefined || folder === "") return [];
    if (files.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return [folder];
    throw malformed({
      code: "no-distfiles",
      message: `expected a folder, found ${files.existsSync(folder) ? "something else" : "nothing"}`,
      subject: `${name} ${folder}`,
      hint: `name an existing folder, or leave ${name} out`,
    });
  });
}
