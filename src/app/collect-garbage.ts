/** The use case of `gc`: the store without what no recent build used. */
import type { Clock, FileSystem } from "../base/index.js";
import { systemErrorCode, unavailable } from "../base/index.js";
import type { Store } from "../engines/index.js";
import { engineSettings, openNativeEngine } from "./engine-factory.js";
import type { Machine } from "./machine.js";
import { defaultStore } from "./machine.js";
import type { ReportTool } from "./fetch-report.js";
import { thisTool } from "./this-tool.js";

export interface GarbageReport {
  readonly tool: ReportTool;
  /** Files and folders that were removed, and the bytes that they held. */
  readonly removed: number;
  readonly bytes: number;
}

export interface GarbageOptions {
  /** Everything that was last used before this moment goes; milliseconds since the epoch. */
  readonly before: number;
}

export interface GarbageEffects {
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly store: Store;
  /** Other processes that build on this store now. */
  readonly others: () => readonly string[];
  /** Removes paths of the store, also those that belong to users of the sandbox's namespace. */
  readonly remove: (paths: readonly string[]) => Promise<void>;
}

const sweptFolders = ["blobs", "gzip", "layers", "roots", "steps", "targets", "cache", "logs"] as const;

/**
 * Removes. What is left is consistent whatever goes: a record whose layer is gone is as good as no record.
 * @throws unavailable `store-busy` while another process builds on the store.
 */
export async function collectGarbage(options: GarbageOptions, effects: GarbageEffects): Promise<GarbageReport> {
  const { store, files } = effects;
  const busy = effects.others();
  if (busy.length > 0) {
    throw unavailable({
      code: "store-busy",
      message: `${String(busy.length)} other process(es) build on this store now`,
      subject: store.root,
      hint: "run it again when they have ended",
    });
  }
  const paths: string[] = [];
  let bytes = 0;
  for (const folder of sweptFolders) {
    for (const name of files.readdirSync(`${store.root}/${folder}`).sort()) {
      const path = store.path(folder, name);
      const stat = files.lstatSync(path);
      if (Math.max(stat.mtimeMs, stat.atimeMs) >= options.before) continue;
      bytes += stat.isDirectory() ? folderSize(path, files) : stat.size;
      paths.push(path);
    }
  }
  if (paths.length > 0) await effects.remove(paths);
  return { tool: thisTool, removed: paths.length, bytes };
}

function folderSize(path: string, files: FileSystem): number {
  let bytes = 0;
  try {
    for (const name of files.readdirSync(path)) {
      const child = `${path}/${name}`;
      const stat = files.lstatSync(child);
      bytes += stat.isDirectory() ? folderSize(child, files) : stat.size;
    }
  } catch (thrown) {
    // A folder of another user of the namespace: its size is not known, it goes all the same.
    if (systemErrorCode(thrown) !== "EACCES") throw thrown;
  }
  return bytes;
}

const millisecondsOfDay = 86_400_000;

/** {@link collectGarbage} on this machine's store; `days` 0 removes everything but sources. */
export async function runGarbage(
  options: { readonly store: string | undefined; readonly days: number },
  machine: Machine,
): Promise<GarbageReport> {
  const { files, clock } = machine;
  const folder = options.store ?? defaultStore(machine);
  const opened = await openNativeEngine({ ...engineSettings(machine), store: folder, jobs: 1 }, machine);
  try {
    const before = options.days === 0 ? Number.POSITIVE_INFINITY : clock.now() - options.days * millisecondsOfDay;
    const effects = { files, clock, store: opened.store, others: opened.others, remove: opened.remove };
    return await collectGarbage({ before }, effects);
  } finally {
    await opened.close();
  }
}
