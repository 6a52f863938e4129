/** The use case of `gc`: the store without what no recent build used (EN-41 to EN-44). */
import type { Digest, FileSystem } from "../base/index.js";
import { hexOf, systemErrorCode } from "../base/index.js";
import type { Store } from "../engines/index.js";
import { engineSettings, openNativeEngine } from "./engine-factory.js";
import type { Machine } from "./machine.js";
import { defaultStore } from "./machine.js";
import type { ReportTool } from "./fetch-report.js";
import { readBuiltImage, readTreeTargets, treeStatePrefix } from "./target-state.js";
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
  readonly store: Store;
  /** Removes paths of the store, also those that belong to users of the sandbox's namespace. */
  readonly remove: (paths: readonly string[]) => Promise<void>;
}

const sweptFolders = ["blobs", "gzip", "layers", "roots", "steps", "targets", "cache", "logs"] as const;

/**
 * Removes. What is left is consistent whatever goes: a record whose layer is gone is as good as no record. The caller
 * sees to it that nobody else works on the store.
 */
export async function collectGarbage(options: GarbageOptions, effects: GarbageEffects): Promise<GarbageReport> {
  const { store, files } = effects;
  const kept = new Marker(options, effects).kept();
  const paths: string[] = [];
  let bytes = 0;
  for (const folder of sweptFolders) {
    for (const name of files.readdirSync(`${store.root}/${folder}`).sort()) {
      const path = store.path(folder, name);
      const stat = files.lstatSync(path);
      if (stat.mtimeMs >= options.before || kept.has(`${folder}/${name}`)) continue;
      bytes += stat.isDirectory() ? folderSize(path, files) : stat.size;
      paths.push(path);
    }
  }
  if (paths.length > 0) await effects.remove(paths);
  return { tool: thisTool, removed: paths.length, bytes };
}

/**
 * Finds what trees stand on that were built recently. A build with nothing to do writes only that it was there: what it
 * would need for the next change has no mark of its own.
 */
class Marker {
  private readonly names = new Set<string>();
  private readonly store: Store;

  constructor(
    private readonly options: GarbageOptions,
    private readonly effects: GarbageEffects,
  ) {
    this.store = effects.store;
  }

  kept(): ReadonlySet<string> {
    const diffIds = new Set<Digest>();
    for (const name of this.recordsOf("targets")) {
      if (name.startsWith(treeStatePrefix) && this.isRecent("targets", name)) this.markTree(name, diffIds);
    }
    for (const diffId of diffIds) this.markLayer(diffId);
    this.markRecords(diffIds);
    return this.names;
  }

  private recordsOf(folder: "targets" | "layers" | "steps"): string[] {
    const names = this.effects.files.readdirSync(`${this.store.root}/${folder}`);
    return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  }

  private isRecent(folder: "targets", name: string): boolean {
    return this.effects.files.lstatSync(this.store.path(folder, `${name}.json`)).mtimeMs >= this.options.before;
  }

  private markTree(name: string, diffIds: Set<Digest>): void {
    for (const { key } of readTreeTargets(this.store, name)) {
      const image = readBuiltImage(this.store, key);
      if (image === undefined) continue;
      this.names.add(`targets/${key}.json`);
      for (const { diffId } of [...image.layers, ...image.steps]) diffIds.add(diffId);
    }
  }

  private markLayer(diffId: Digest): void {
    const hex = hexOf(diffId);
    for (const name of [`blobs/${hex}.tar`, `gzip/${hex}.gz`, `gzip/${hex}.json`]) this.names.add(name);
  }

  /** Records that lead to a kept layer: by them a step is known to have been done. */
  private markRecords(diffIds: ReadonlySet<Digest>): void {
    if (diffIds.size === 0) return;
    const layers = new Set<string>();
    for (const name of this.recordsOf("layers")) {
      const record = this.store.readRecord("layers", name) as { readonly diffId: Digest } | undefined;
      if (record === undefined || !diffIds.has(record.diffId)) continue;
      layers.add(name);
      this.names.add(`layers/${name}.json`);
    }
    for (const name of this.recordsOf("steps")) {
      const record = this.store.readRecord("steps", name) as { readonly layer: string } | undefined;
      if (record !== undefined && layers.has(record.layer)) this.names.add(`steps/${name}.json`);
    }
  }
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

/**
 * {@link collectGarbage} on this machine's store; `days` 0 removes everything but sources.
 * @throws unavailable `store-busy` while another process builds on the store
 */
export async function runGarbage(
  options: { readonly store: string | undefined; readonly days: number },
  machine: Machine,
): Promise<GarbageReport> {
  const { files, clock } = machine;
  const folder = options.store ?? defaultStore(machine);
  const opened = await openNativeEngine({ ...engineSettings(machine), store: folder, jobs: 1 }, machine);
  try {
    const before = options.days === 0 ? Number.POSITIVE_INFINITY : clock.now() - options.days * millisecondsOfDay;
    const effects = { files, store: opened.store, remove: opened.remove };
    return await opened.aloneOnStore(() => collectGarbage({ before }, effects));
  } finally {
    await opened.close();
  }
}
