import { limits, messageOf, rejected, StagewrightError, unavailable } from "../base/index.js";
import type { Mirror } from "../tree/index.js";
import type { AptSources } from "./apt-sources.js";
import { copyFile, type CopyContext } from "./copy-file.js";
import { download } from "./download.js";
import type {
  FetchEffects,
  FetchEvent,
  FetchSettings,
  MirrorFailure,
  SourceOutcome,
  SourceRequest,
} from "./fetch-settings.js";
import { hasPassword, hostOf, pathOfFileMirror, renderMirror } from "./mirror.js";
import type { PartialFile } from "./partial-file.js";
import { defaultRetryPolicy } from "./retry.js";
import type { Slots } from "./slots.js";
import { defaultTimeOuts } from "./transfer.js";

/** What the fetches of one run share. */
export interface FetchRun {
  readonly effects: FetchEffects;
  readonly settings: FetchSettings;
  readonly slots: Slots;
  readonly apt: AptSources;
}

/** A place that is tried: a mirror, or a file in a folder of distfiles. */
interface Place {
  readonly label: string;
  readonly state: "distfiles" | "downloaded";
  /** True when the bytes that are now in `partial` are the expected ones. */
  readonly bring: (partial: PartialFile) => Promise<boolean>;
}

/**
 * Gets one file into the store (SO-1): from the store itself, the distfiles, then the mirrors in order.
 * @throws unavailable `interrupted`; what else stands in the way is the outcome
 */
export async function fetchSource(run: FetchRun, request: SourceRequest): Promise<SourceOutcome> {
  const { store, abort } = run.settings;
  try {
    const known = await store.find(request.sha256, abort);
    if (known !== undefined) {
      tell(run, request, { state: "done", received: known.size, total: known.size });
      return { kind: "fetched", request, ...known, mirror: undefined, state: "stored" };
    }
    return await fetchFromPlaces(run, request);
  } catch (cause) {
    if (!(cause instanceof StagewrightError) || cause.code === "interrupted") throw cause;
    tell(run, request, { state: "failed", received: 0, message: cause.message });
    return { kind: "failed", request, failures: [], error: cause };
  }
}

type NewsOfSource = Omit<FetchEvent, "sha256" | "fileName">;

function tell(run: FetchRun, request: SourceRequest, news: NewsOfSource): void {
  run.settings.onProgress?.({ sha256: request.sha256, fileName: request.fileName, ...news });
}

async function fetchFromPlaces(run: FetchRun, request: SourceRequest): Promise<SourceOutcome> {
  const partial = await run.settings.store.begin(request.sha256, run.settings.abort);
  const failures: MirrorFailure[] = [];
  try {
    // An earlier fetch may have been killed between the last byte and the name.
    if (partial.digits() === request.sha256) return await publish(run, request, partial, placeOfLeftover);
    for (const place of placesOf(run, request)) {
      const failure = await tryPlace(run, request, place, partial);
      if (failure === undefined) return await publish(run, request, partial, place);
      failures.push(failure);
      tell(run, request, { state: "mirror-failed", mirror: place.label, received: 0, message: failure.reason });
    }
  } catch (cause) {
    if (cause instanceof StagewrightError && cause.code === "disk-full") partial.discard();
    partial.keep();
    throw cause;
  }
  partial.keep();
  const error = summarize(request, failures);
  tell(run, request, { state: "failed", received: 0, message: error.message });
  return { kind: "failed", request, failures, error };
}

const placeOfLeftover = { label: "an earlier fetch", state: "downloaded" } as const;

async function publish(
  run: FetchRun,
  request: SourceRequest,
  partial: PartialFile,
  place: Pick<Place, "label" | "state">,
): Promise<SourceOutcome> {
  partial.publish();
  // Asked for again, since in a store that others can write to only a checked copy of our own may be used.
  const stored = await run.settings.store.find(request.sha256, run.settings.abort);
  if (stored === undefined) {
    throw unavailable({ code: "store-changed", message: "the file vanished from the store", subject: request.sha256 });
  }
  tell(run, request, { state: "done", mirror: place.label, received: stored.size, total: stored.size });
  return { kind: "fetched", request, ...stored, mirror: place.label, state: place.state };
}

/** Undefined when the place gave the right bytes. */
async function tryPlace(
  run: FetchRun,
  request: SourceRequest,
  place: Place,
  partial: PartialFile,
): Promise<MirrorFailure | undefined> {
  tell(run, request, { state: "trying", mirror: place.label, received: partial.size });
  try {
    if (await place.bring(partial)) return undefined;
  } catch (cause) {
    if (!(cause instanceof StagewrightError) || !passes.has(cause.code)) throw cause;
    return { mirror: place.label, verdict: "none", reason: messageOf(cause) };
  }
  const found = partial.digits();
  const reason = `expected sha256 ${request.sha256}, found ${found} (${String(partial.size)} bytes)`;
  partial.restart();
  return { mirror: place.label, verdict: "wrong", reason };
}

/** Errors after which the next mirror is tried. */
const passes = new Set(["mirror-failed", "program-missing"]);

function* placesOf(run: FetchRun, request: SourceRequest): Generator<Place> {
  const { fileSystem: files } = run.effects;
  for (const folder of run.settings.distfiles) {
    for (const name of [`sha256/${request.sha256}`, request.sha256, request.fileName]) {
      const path = `${folder}/${name}`;
      if (!files.existsSync(path)) continue;
      const bring = async (partial: PartialFile): Promise<boolean> =>
        await copyFile(copyContext(run, request, path), path, partial, request.sha256);
      yield { label: path, state: "distfiles", bring };
    }
  }
  for (const mirror of request.mirrors.slice(0, limits.mirrors)) yield placeOfMirror(run, request, mirror);
}

function placeOfMirror(run: FetchRun, request: SourceRequest, mirror: Mirror): Place {
  const label = renderMirror(mirror);
  const bring = async (partial: PartialFile): Promise<boolean> => {
    switch (mirror.kind) {
      case "file": {
        const path = pathOfFileMirror(mirror.path);
        return await copyFile(copyContext(run, request, label), path, partial, request.sha256);
      }
      case "apt-source": {
        const path = await run.slots.run("apt-source", async () => await run.apt.download(mirror));
        return await copyFile(copyContext(run, request, label), path, partial, request.sha256);
      }
      case "http":
      case "https":
        return await downloadFrom(run, request, mirror, partial);
    }
  };
  return { label, state: "downloaded", bring };
}

function copyContext(run: FetchRun, request: SourceRequest, label: string): CopyContext {
  return {
    ...run.effects,
    sizeLimit: run.settings.sizeLimit ?? limits.sourceSize,
    abort: run.settings.abort,
    onBytes: (received, total) => tell(run, request, { state: "receiving", mirror: label, received, total }),
  };
}

async function downloadFrom(
  run: FetchRun,
  request: SourceRequest,
  mirror: Mirror & { readonly url: string },
  partial: PartialFile,
): Promise<boolean> {
  const label = renderMirror(mirror);
  if (hasPassword(mirror.url)) {
    const message = "the address carries a user or password, which a tree shows to everybody: it is not used";
    throw unavailable({ code: "mirror-failed", message, subject: label });
  }
  const context = {
    ...copyContext(run, request, label),
    http: run.effects.http,
    timeOuts: run.settings.timeOuts ?? defaultTimeOuts,
    retry: run.settings.retry ?? defaultRetryPolicy,
    onRetry: (reason: string, delay: number) =>
      tell(run, request, {
        state: "retrying",
        mirror: label,
        received: partial.size,
        message: `${reason}; next attempt in ${String(delay / 1000)} s`,
      }),
    inSlot: async <T>(work: () => Promise<T>): Promise<T> => await run.slots.run(hostOf(mirror), work),
  };
  return await download(context, mirror.url, partial, request.sha256);
}

/** SO-7: a mirror that gave other bytes is a no; where none gave any, the answer is not known. */
function summarize(request: SourceRequest, failures: readonly MirrorFailure[]): StagewrightError {
  const list = failures.map(({ mirror, reason }) => `\n  ${mirror}: ${reason}`).join("");
  const subject = `${request.package}: ${request.name} (${request.fileName})`;
  if (failures.some(({ verdict }) => verdict === "wrong")) {
    return rejected({
      code: "source-rejected",
      message: `no mirror has the file that the tree asks for, sha256 ${request.sha256}:${list}`,
      subject,
      hint: "find out who changed the file before you change the hash in package.toml",
    });
  }
  return unavailable({
    code: "source-unavailable",
    message: `no mirror gave the file with sha256 ${request.sha256}:${list === "" ? " there is none" : list}`,
    subject,
    hint: "try again later, add a mirror, or put the file into a folder and name that with --distfiles",
  });
}
