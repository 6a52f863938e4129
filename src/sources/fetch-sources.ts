import { openAptSources } from "./apt-sources.js";
import type { FetchEffects, FetchSettings, SourceOutcome, SourceRequest } from "./fetch-settings.js";
import { fetchSource, type FetchRun } from "./fetch-source.js";
import { checkInterrupted } from "./hashing.js";
import { createSlots } from "./slots.js";

const defaultJobs = 6;
const defaultJobsPerHost = 3;

/**
 * Gets every file into the store, several at once, and says of each request, in their order, what became of it. One
 * file's failure does not end the others. Requests for one hash are one file, whose mirrors are those of all of them.
 * @throws unavailable `interrupted` as soon as the abort signal comes; what was received is kept for the next fetch
 */
export async function fetchSources(
  effects: FetchEffects,
  settings: FetchSettings,
  requests: readonly SourceRequest[],
): Promise<readonly SourceOutcome[]> {
  checkInterrupted(settings.abort);
  settings.store.sweep();
  const jobs = settings.jobs ?? defaultJobs;
  const slots = createSlots(jobs, settings.jobsPerHost ?? defaultJobsPerHost, settings.abort);
  const apt = openAptSources(effects, settings);
  const run: FetchRun = { effects, settings, slots, apt };
  try {
    const merged = mergeByHash(requests);
    // Each has an open file: a source that waits for its turn, or between two attempts, must not use them up.
    const open = createSlots(jobs * 4, jobs * 4, settings.abort);
    const outcomes = await Promise.allSettled(
      merged.map(async (request) => await open.run("source", async () => await fetchSource(run, request))),
    );
    const bySha256 = new Map<string, SourceOutcome>();
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") throw outcome.reason;
      bySha256.set(outcome.value.request.sha256, outcome.value);
    }
    return requests.map((request) => ({ ...known(bySha256, request.sha256), request }));
  } finally {
    apt.close();
  }
}

function known(outcomes: ReadonlyMap<string, SourceOutcome>, sha256: string): SourceOutcome {
  const outcome = outcomes.get(sha256);
  if (outcome === undefined) throw new TypeError(`no outcome for ${sha256}`);
  return outcome;
}

function mergeByHash(requests: readonly SourceRequest[]): readonly SourceRequest[] {
  const merged = new Map<string, SourceRequest>();
  for (const request of requests) {
    const first = merged.get(request.sha256);
    const mirrors = first === undefined ? request.mirrors : [...first.mirrors, ...request.mirrors];
    merged.set(request.sha256, { ...(first ?? request), mirrors: distinct(mirrors) });
  }
  return [...merged.values()];
}

function distinct(mirrors: SourceRequest["mirrors"]): SourceRequest["mirrors"] {
  const seen = new Map(mirrors.map((mirror) => [JSON.stringify(mirror), mirror]));
  return [...seen.values()];
}
