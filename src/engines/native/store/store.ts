/**
 * The store of the native engine: one folder that belongs to one user (EN-1 to EN-9). Everything under a final name was
 * complete before it got that name, so that a process may be killed at any moment: what it left lies in its own folder
 * below `tmp/` and goes with the next run.
 *
 *     blobs/HEX.tar        layer, uncompressed, by diff id
 *     gzip/HEX.gz, .json   the same layer compressed, by diff id, and its descriptor
 *     layers/ID.json       what a layer says, with the true times that the tar has lost
 *     roots/BOOT-ID/       the layer as a folder, for overlay mounts
 *     steps/KEY.json       which layer a step gave, when
 *     targets/, cache/, logs/, active/, tmp/
 */
import { malformed, messageOf, systemErrorCode, unavailable, untrusted } from "../../../base/index.js";
import { digestOf, hexOf } from "../../../base/index.js";
import type { Clock, FileSystem } from "../../../base/index.js";
import { checkOwn, checkPrivate, notPrivate } from "./store-privacy.js";

const version = "1";

const folders = ["blobs", "gzip", "layers", "roots", "steps", "targets", "cache", "logs", "active", "tmp"] as const;
export type StoreFolder = (typeof folders)[number];

/** Their entries belong to users of the sandbox, with whatever modes; all others are files of our own. */
const foreignFolders: ReadonlySet<StoreFolder> = new Set(["roots", "cache", "tmp"]);

/** What is used again within this time keeps its mark: a mark costs a write. */
const markMilliseconds = 3_600_000;

/** Bytes of free space below which a disk counts as full. */
const leastSpace = 256 << 10;

/** Hexadecimal digits of the sum at the end of a record: enough to tell chance damage. */
const sumLength = 32;

export interface StoreEffects {
  readonly files: FileSystem;
  /** When something was last used is kept as its time of change. */
  readonly clock: Pick<Clock, "now">;
  /** The user id that this process acts as, as files show it. */
  readonly uid: number;
  /** Names this process or thread among all that use the store at the same time: its folder below `tmp/`. */
  readonly owner: string;
}

export class Store {
  readonly files: FileSystem;
  /** Begins the names of `roots/`: hexadecimal digits that are others after the machine was started again. */
  readonly boot: string;
  private counter = 0;

  constructor(
    readonly root: string,
    private readonly effects: StoreEffects,
  ) {
    this.files = effects.files;
    this.boot = bootOf(effects.files);
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.effects.clock.now();
  }

  path(folder: StoreFolder, name: string): string {
    return `${this.root}/${folder}/${name}`;
  }

  /**
   * Whether the store has it.
   * @throws untrusted `store-not-private` for a link in its place, and for a file that is another's or that others may write
   */
  has(folder: StoreFolder, name: string): boolean {
    return this.newest(folder, name) !== undefined;
  }

  /** As {@link has}, for what is then used: `gc --days` keeps it. */
  use(folder: StoreFolder, name: string): boolean {
    const changed = this.newest(folder, name);
    if (changed === undefined) return false;
    const now = this.now();
    if (now - changed > markMilliseconds) this.mark(this.path(folder, name), now);
    return true;
  }

  private newest(folder: StoreFolder, name: string): number | undefined {
    const path = this.path(folder, name);
    const stat = guarded(path, () => this.files.lstatSync(path, { throwIfNoEntry: false }));
    if (stat === undefined) return undefined;
    if (stat.isSymbolicLink()) throw notPrivate(path, "it is a symbolic link");
    if (!foreignFolders.has(folder)) {
      if (stat.uid !== this.effects.uid) throw notPrivate(path, `user ${String(stat.uid)} owns it`);
      if ((stat.mode & 0o022) !== 0) throw notPrivate(path, "others may write to it");
    }
    return stat.mtimeMs;
  }

  private mark(path: string, now: number): void {
    try {
      this.files.utimesSync(path, now / 1000, now / 1000);
    } catch (thrown) {
      // Another process may have removed it, or a full disk may have no room: only a later gc would miss the mark.
      if (systemErrorCode(thrown) === undefined) throw thrown;
    }
  }

  /** Whether the disk has no room for anything: a command that failed may have failed for that. */
  isFull(): boolean {
    const { bavail, bsize, files, ffree } = this.files.statfsSync(this.root);
    return bavail * bsize < leastSpace || (files > 0 && ffree === 0);
  }

  /** This process's own temporary folder. */
  temporaryFolder(): string {
    const folder = this.path("tmp", this.effects.owner);
    guarded(folder, () => this.files.mkdirSync(folder, { recursive: true, mode: 0o700 }));
    return folder;
  }

  /** Removes the temporary folder with what is in it; it comes again when it is needed. */
  removeTemporaryFolder(): void {
    this.files.rmSync(this.path("tmp", this.effects.owner), { recursive: true, force: true });
  }

  /** A new name in the temporary folder; nothing is there yet. */
  temporary(kind: string): string {
    return `${this.temporaryFolder()}/${kind}-${String(++this.counter)}`;
  }

  /** The value of a record, or undefined when there is none, or when it is torn, damaged or another's under this name. */
  readRecord(folder: StoreFolder, name: string): unknown {
    const path = this.path(folder, `${name}.json`);
    if (!this.has(folder, `${name}.json`)) return undefined;
    try {
      const text = this.files.readFileSync(path, "utf8");
      const end = text.length - sumLength;
      const json = text.slice(0, Math.max(0, end));
      return text.slice(end) === recordSum(folder, name, json) ? JSON.parse(json) : undefined;
    } catch (thrown) {
      if (systemErrorCode(thrown) === "ENOENT") return undefined;
      throw ioError(thrown, path);
    }
  }

  /** {@link readRecord} of what is then used: `gc --days` keeps it. */
  useRecord(folder: StoreFolder, name: string): unknown {
    return this.use(folder, `${name}.json`) ? this.readRecord(folder, name) : undefined;
  }

  /** Writes a record so that a reader sees the old one or the whole new one. */
  writeRecord(folder: StoreFolder, name: string, value: unknown): void {
    const temporary = this.temporary("record");
    const path = this.path(folder, `${name}.json`);
    const json = JSON.stringify(value);
    guarded(path, () => {
      this.files.writeFileSync(temporary, json + recordSum(folder, name, json), { mode: 0o600 });
      this.files.renameSync(temporary, path);
    });
  }

  /** Moves a finished file or folder to its name. A folder that is there already is kept: the name says what it holds. */
  commit(temporary: string, folder: StoreFolder, name: string): void {
    const path = this.path(folder, name);
    guarded(path, () => {
      try {
        this.files.renameSync(temporary, path);
      } catch (thrown) {
        const code = systemErrorCode(thrown);
        if (code !== "ENOTEMPTY" && code !== "EEXIST") throw thrown;
        this.files.rmSync(temporary, { recursive: true, force: true });
      }
    });
  }

  /** Removes a file that is not what its name says, so that the next who wants it makes it anew. */
  discard(folder: StoreFolder, name: string): void {
    const path = this.path(folder, name);
    guarded(path, () => {
      this.files.rmSync(path, { force: true });
    });
  }

  /** Names below `roots/` that were made before the machine was started the last time. */
  staleRoots(): string[] {
    return this.files.readdirSync(`${this.root}/roots`).filter((name) => !name.startsWith(`${this.boot}-`));
  }

  /** Folders below `tmp/`, each named after the process or thread that made it. */
  temporaryOwners(): string[] {
    return this.files.readdirSync(`${this.root}/tmp`).sort();
  }
}

const bootPath = "/proc/sys/kernel/random/boot_id";

function bootOf(files: FileSystem): string {
  return guarded(bootPath, () => files.readFileSync(bootPath, "latin1")).slice(0, 8);
}

/** A record under another name, or with another bit, has another sum. */
function recordSum(folder: StoreFolder, name: string, json: string): string {
  return hexOf(digestOf(`${folder}/${name}\n${json}`)).slice(0, sumLength);
}

/** Runs file work and turns the system's errors into ours. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw ioError(thrown, path);
  }
}

/** A full disk is told from other faults, for it has its own mend. Our own errors pass unchanged. */
export function ioError(thrown: unknown, path: string): unknown {
  const code = systemErrorCode(thrown);
  if (code === undefined) return thrown;
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path, thrown);
  return unavailable({ code: "store-io", message: messageOf(thrown), subject: path, cause: thrown });
}

export function diskFull(path: string, cause: unknown): Error {
  return unavailable({
    code: "disk-full",
    message: "no space is left on the disk of the store",
    subject: path,
    hint: "free some space or run `stagewright gc`; what is finished is kept",
    cause,
  });
}

/**
 * Opens the store, making it when it is not there.
 * @throws untrusted `store-not-private` when the store or a folder above it is another's or may be written by others.
 * @throws malformed `store-version` for a store of another version.
 */
export function openStore(root: string, effects: StoreEffects): Store {
  const { files, uid } = effects;
  guarded(root, () => files.mkdirSync(root, { recursive: true, mode: 0o700 }));
  const real = checkPrivate(root, files, uid);
  for (const folder of folders) {
    guarded(real, () => files.mkdirSync(`${real}/${folder}`, { recursive: true, mode: 0o700 }));
    checkOwn(`${real}/${folder}`, files, uid);
  }
  const store = new Store(real, effects);
  checkVersion(store);
  return store;
}

function checkVersion(store: Store): void {
  const { files } = store;
  const path = `${store.root}/version`;
  const found = files.existsSync(path) ? files.readFileSync(path, "utf8").trim() : "";
  if (found === version) return;
  if (found === "") {
    const temporary = store.temporary("version");
    guarded(path, () => {
      files.writeFileSync(temporary, `${version}\n`, { mode: 0o600 });
      files.renameSync(temporary, path);
    });
    return;
  }
  throw malformed({
    code: "store-version",
    message: `expected a store of version ${version}, found ${JSON.stringify(found.slice(0, 40))}`,
    subject: path,
    hint: "give another folder with --store, or delete this one: it holds nothing that cannot be built again",
  });
}

/**
 * A file of the store that was not what its name says, and is gone now.
 * @throws never; the error is for the caller to throw
 */
export function damaged(path: string, found: string): Error {
  return untrusted({
    code: damagedCode,
    message: `expected a file of the store as it was written, found that ${found}; it was removed`,
    subject: path,
    hint: "run the command again: what is missing is made anew. See the disk's health if this comes back",
  });
}

export const damagedCode = "store-damaged";
