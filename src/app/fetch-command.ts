/** The use case of `fetch` on this machine. */
import { resolveTargets } from "../graph/index.js";
import type { FetchEvent } from "../sources/index.js";
import type { FetchReport } from "./fetch-report.js";
import type { RunFetchEffects } from "./fetch-run.js";
import { runFetch } from "./fetch-run.js";
import type { LoadedTree } from "./load-tree.js";
import type { Machine } from "./machine.js";
import { thisTool } from "./this-tool.js";
import type { ExitStatus, TreeOptions } from "./tree-options.js";
import { openTree, storeFolder } from "./tree-options.js";

export interface FetchCommandOptions extends TreeOptions {
  readonly words: readonly string[];
  readonly distfiles: string | undefined;
  readonly jobs: number | undefined;
  readonly abort: AbortSignal;
  readonly onProgress: (event: FetchEvent) => void;
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

/** The part of the machine that fetching needs. */
export function fetchEffects(machine: Machine): RunFetchEffects {
  const { files, processes, clock, http, environment, uid } = machine;
  return { fileSystem: files, processes, clock, http, environment, uid };
}
