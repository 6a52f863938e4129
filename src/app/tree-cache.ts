/**
 * What was read of a tree's packages, kept by the content of their files. The cache is never needed: a file that is
 * missing, damaged, of another version or of another owner means that everything is read anew. Rules TR-60 to TR-65 of
 * docs/spec/tree.md.
 */
import { createHash } from "node:crypto";

import { limits, messageOf, systemErrorCode, type Clock, type FileSystem, type Log } from "../base/index.js";
import type { TreeFile } from "../tree/index.js";
import { isCachedPackage, isRecord, type CachedFile, type CachedPackage } from "./cached-package.js";

/** Where caches are, and who may have written them. */
export interface TreeCachePlace {
  /** Absolute; made when it is missing, mode 0700. */
  readonly directory: string;
  /** The user of this process: a cache that another owns or may write is not used. */
  readonly uid: number;
  /** Name and version of this program: what another version kept is not used. */
  readonly tool: string;
}

/** The cache of one tree during one run. */
export interface TreeCache {
  /** Whether anything will be kept. */
  readonly isOpen: boolean;
  entry(folder: string): CachedPackage | undefined;
  /** Whether a file has the content that was kept, told from its times and size alone. */
  isUnchanged(file: TreeFile, kept: CachedFile): boolean;
  keep(folder: string, entry: CachedPackage): void;
  /** Writes the cache if that helps the next run. A failure is logged. */
  close(): void;
}

// Two writes within one tick of the file system's clock leave the same times, so that times stand for content only when
// they were in the past already as the file was looked at. Coarse clocks (FAT) tick every two seconds.
const settledAfterMilliseconds = 2500;

const headForm = /^stagewright-tree-cache 1 ([0-9a-f]{64})\n/;

interface Contents {
  /** Milliseconds since the epoch, before the first file was looked at. */
  readonly checkedAt: number;
  readonly packages: Readonly<Record<string, unknown>>;
}

/** Opens the cache of the tree at `root`. Never throws for what the cache holds. */
export function openTreeCache(options: {
  readonly fs: FileSystem;
  readonly root: string;
  readonly cache?: TreeCachePlace | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): TreeCache {
  const { fs, root, cache: place, clock, log } = options;
  if (place === undefined) return noCache;
  const checkedAt = clock.now();
  const path = `${place.directory}/tree-${sha256(root).slice(0, 32)}.json`;
  try {
    makeDirectory(fs, place);
    const contents = readContents(fs, path, place, root);
    return new FileCache(
      contents,
      (packages) => {
        writeContents(fs, path, { tool: place.tool, root, checkedAt, packages });
      },
      log,
    );
  } catch (thrown) {
    log.warn(`the cache ${path} is not used: ${messageOf(thrown)}`);
    return noCache;
  }
}

const noCache: TreeCache = {
  isOpen: false,
  entry: () => undefined,
  isUnchanged: () => false,
  keep: () => undefined,
  close: () => undefined,
};

class FileCache implements TreeCache {
  readonly isOpen = true;
  private readonly kept: Record<string, CachedPackage> = {};
  private changed: boolean;

  constructor(
    private readonly old: Contents | undefined,
    private readonly write: (packages: Readonly<Record<string, CachedPackage>>) => void,
    private readonly log: Log,
  ) {
    this.changed = old === undefined;
  }

  entry(folder: string): CachedPackage | undefined {
    const entry =
      this.old !== undefined && Object.hasOwn(this.old.packages, folder) ? this.old.packages[folder] : undefined;
    return isCachedPackage(entry) ? entry : undefined;
  }

  isUnchanged(file: TreeFile, kept: CachedFile): boolean {
    if (this.old === undefined || file.signature !== kept.signature) return false;
    return file.changedAt + settledAfterMilliseconds < this.old.checkedAt;
  }

  keep(folder: string, entry: CachedPackage): void {
    this.kept[folder] = entry;
    // An entry that was made or had its files hashed in this run is a new object.
    if (this.old?.packages[folder] !== entry) this.changed = true;
  }

  close(): void {
    const dropped = Object.keys(this.old?.packages ?? {}).length !== Object.keys(this.kept).length;
    if (!this.changed && !dropped) return;
    try {
      this.write(this.kept);
    } catch (thrown) {
      this.log.warn(`the cache of the tree could not be written: ${messageOf(thrown)}`);
    }
  }
}

function makeDirectory(fs: FileSystem, place: TreeCachePlace): void {
  fs.mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  const stat = fs.lstatSync(place.directory);
  if (!stat.isDirectory() || !isOwn(stat, place)) throw new Error("another user owns or may write its folder");
}

function isOwn(stat: { readonly uid: number; readonly mode: number }, place: TreeCachePlace): boolean {
  return stat.uid === place.uid && (stat.mode & 0o022) === 0;
}

function readContents(fs: FileSystem, path: string, place: TreeCachePlace, root: string): Contents | undefined {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile() || !isOwn(stat, place)) throw new Error("another user owns or may write it");
  if (stat.size > limits.treeCacheSize) return undefined;
  return parseContents(fs.readFileSync(path, "utf8"), place.tool, root);
}

/** Undefined for anything but a whole cache of this version, tree and form. */
function parseContents(raw: string, tool: string, root: string): Contents | undefined {
  const head = headForm.exec(raw);
  if (head === null) return undefined;
  const body = raw.slice(head[0].length);
  if (sha256(body) !== head[1]) return undefined;
  const value = parseJson(body);
  if (!isRecord(value) || value["tool"] !== tool || value["root"] !== root) return undefined;
  const { checkedAt, packages } = value;
  return typeof checkedAt === "number" && isRecord(packages) ? { checkedAt, packages } : undefined;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The same as a cache that is not there: it is written anew.
    return undefined;
  }
}

/**
 * Written under another name and renamed, so that a reader sees the old cache or the new one. It is not synced: the head
 * carries the body's hash, and a cache that a power cut damaged costs one reading of the tree.
 */
function writeContents(fs: FileSystem, path: string, contents: object): void {
  const body = JSON.stringify(contents);
  const hash = sha256(body);
  // Named by its content: two runs that write at once write the same bytes, and no random name is left behind.
  const temporary = `${path}.${hash.slice(0, 16)}.tmp`;
  try {
    fs.writeFileSync(temporary, `stagewright-tree-cache 1 ${hash}\n${body}`, { mode: 0o600 });
    fs.renameSync(temporary, path);
  } catch (thrown) {
    if (systemErrorCode(thrown) !== "ENOENT") fs.rmSync(temporary, { force: true });
    throw thrown;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
