import * as posix from "node:path/posix";

import { isSha256Hex, systemErrorCode, unavailable } from "../base/index.js";
import type { Clock, FileSystem } from "../base/index.js";
import { writing } from "./disk-errors.js";
import { readThrough } from "./hashing.js";
import { isExclusive } from "./ownership.js";
import { createPartialFile, type PartialFile } from "./partial-file.js";
import { isGone, ownIdentity } from "./process-identity.js";

/** A source whose bytes were checked: nobody but this user can have changed `path` since. */
export interface StoredSource {
  readonly path: string;
  readonly size: number;
}

export interface SourceStoreOptions {
  /** The sources are `FOLDER/sources/sha256/HEX`. Made, mode 0700, when it is missing. */
  readonly folder: string;
  readonly uid: number;
}

export interface SourceStoreEffects {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
}

/** Content-addressed files (SO-20 to SO-27). One value serves one run; several processes may use one folder at once. */
export interface SourceStore {
  /**
   * The file of a hash, if the store has it. Its bytes are hashed first, and taken into a copy of our own, unless only
   * this user can have written them; a file with other bytes is treated as absent.
   * @throws unavailable `interrupted`, `disk-full`, `store-not-writable`
   */
  find(hex: string, abort?: AbortSignal): Promise<StoredSource | undefined>;
  /** A new file for a hash, begun with what an earlier process that is gone has left of it. */
  begin(hex: string, abort?: AbortSignal): Promise<PartialFile>;
  /** A folder of this process alone (mode 0700), for spools; {@link close} removes it. */
  temporaryFolder(): string;
  /** Removes leftovers of processes that are gone: their folders at once, partial files after a week. */
  sweep(): void;
  close(): void;
}

const keepPartialMilliseconds = 7 * 24 * 3600 * 1000;

/** @throws unavailable `store-not-writable`, `disk-full` */
export function openSourceStore(effects: SourceStoreEffects, options: SourceStoreOptions): SourceStore {
  const files = effects.fileSystem;
  writing(options.folder, () => files.mkdirSync(options.folder, { recursive: true, mode: 0o700 }));
  return new FileStore(effects, files.realpathSync(options.folder), options.uid);
}

class FileStore implements SourceStore {
  readonly #effects: SourceStoreEffects;
  readonly #files: FileSystem;
  readonly #uid: number;
  readonly #identity: string;
  readonly #folders: { readonly named: string; readonly partial: string; readonly temporary: string };
  #count = 0;
  #ownFolder: string | undefined;

  constructor(effects: SourceStoreEffects, root: string, uid: number) {
    this.#effects = effects;
    this.#files = effects.fileSystem;
    this.#uid = uid;
    this.#identity = ownIdentity(this.#files);
    const base = `${root}/sources`;
    this.#folders = { named: `${base}/sha256`, partial: `${base}/partial`, temporary: `${base}/temporary` };
    for (const folder of Object.values(this.#folders)) {
      writing(folder, () => this.#files.mkdirSync(folder, { recursive: true, mode: 0o700 }));
    }
  }

  async find(hex: string, abort?: AbortSignal): Promise<StoredSource | undefined> {
    const path = this.#path(hex);
    const size = sizeOfFile(this.#files, path);
    if (size === undefined) return undefined;
    if (isExclusive(this.#files, path, this.#uid)) return { path, size };
    return await this.#copyChecked(path, hex, abort);
  }

  async begin(hex: string, abort?: AbortSignal): Promise<PartialFile> {
    const name = this.#newName(hex);
    const partial = createPartialFile(this.#files, {
      path: name,
      finalPath: this.#path(hex),
      leftPath: `${this.#folders.partial}/${hex}.free.${this.#identity}-${String(this.#count)}`,
      expectedHex: hex,
    });
    const claimed = this.#claimLeftover(hex);
    if (claimed === undefined) return partial;
    try {
      // Into a new file: whoever wrote the old one, wrongly taken for gone, can then change nothing under our hands.
      await this.#copyInto(partial, claimed, abort);
    } catch (cause) {
      partial.discard();
      throw cause;
    } finally {
      this.#files.rmSync(claimed, { force: true });
    }
    return partial;
  }

  temporaryFolder(): string {
    this.#requirePrivate(this.#folders.temporary);
    this.#ownFolder ??= writing(this.#folders.temporary, () =>
      this.#files.mkdtempSync(`${this.#folders.temporary}/${this.#identity}.`),
    );
    return this.#ownFolder;
  }

  sweep(): void {
    for (const { path, identity } of this.#leftovers(this.#folders.temporary, /^([0-9]+-[0-9]+)\.[^.]+$/)) {
      if (isGone(this.#files, identity)) this.#files.rmSync(path, { recursive: true, force: true });
    }
    const oldest = this.#effects.clock.now() - keepPartialMilliseconds;
    for (const { path, identity } of this.#leftovers(this.#folders.partial, partialName)) {
      const mtime = this.#files.lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? oldest;
      if (mtime < oldest && this.#isFree(identity)) this.#files.rmSync(path, { force: true });
    }
  }

  close(): void {
    if (this.#ownFolder !== undefined) this.#files.rmSync(this.#ownFolder, { recursive: true, force: true });
    this.#ownFolder = undefined;
  }

  #path(hex: string): string {
    if (!isSha256Hex(hex)) throw new TypeError(`no SHA-256: ${hex}`);
    return `${this.#folders.named}/${hex}`;
  }

  #newName(hex: string): string {
    this.#count += 1;
    return `${this.#folders.partial}/${hex}.${this.#identity}.${String(this.#count)}`;
  }

  /** A spool that another user could write to would be read after it was checked. */
  #requirePrivate(folder: string): void {
    if (isExclusive(this.#files, folder, this.#uid)) return;
    throw unavailable({
      code: "store-not-private",
      message: "expected a folder that only this user can write to, in folders that nobody else can replace",
      subject: folder,
      hint: "choose a store of your own with --store, and take shared sources from it with --distfiles",
    });
  }

  async #copyChecked(path: string, hex: string, abort: AbortSignal | undefined): Promise<StoredSource | undefined> {
    const ownPath = isExclusive(this.#files, this.#folders.named, this.#uid)
      ? path
      : `${this.temporaryFolder()}/${hex}`;
    this.#count += 1;
    const spool = `${this.temporaryFolder()}/${hex}.${String(this.#count)}`;
    const copy = createPartialFile(this.#files, { path: spool, finalPath: ownPath, leftPath: spool, expectedHex: hex });
    try {
      await this.#copyInto(copy, path, abort);
      if (copy.digits() !== hex) return undefined;
      copy.publish();
      return { path: ownPath, size: copy.size };
    } finally {
      copy.discard();
    }
  }

  async #copyInto(partial: PartialFile, path: string, abort: AbortSignal | undefined): Promise<void> {
    const fd = this.#files.openSync(path, "r");
    try {
      await readThrough(this.#effects, fd, (piece) => partial.write(piece), abort);
    } finally {
      this.#files.closeSync(fd);
    }
  }

  /**
   * Takes over the largest partial file that nobody is writing, and removes the others: of several processes that try,
   * the rename lets one win.
   */
  #claimLeftover(hex: string): string | undefined {
    if (!isExclusive(this.#files, this.#folders.partial, this.#uid)) return undefined;
    const candidates = this.#leftovers(this.#folders.partial, partialName)
      .filter(({ path, identity }) => posix.basename(path).startsWith(hex) && this.#isFree(identity))
      .map(({ path }) => ({ path, size: sizeOfFile(this.#files, path) ?? -1 }))
      .sort((a, b) => b.size - a.size);
    let claimed: string | undefined;
    for (const { path, size } of candidates) {
      if (claimed === undefined && size >= 0) claimed = this.#tryRename(path, this.#newName(hex));
      else this.#files.rmSync(path, { force: true });
    }
    return claimed;
  }

  #tryRename(from: string, to: string): string | undefined {
    try {
      this.#files.renameSync(from, to);
      return to;
    } catch (cause) {
      if (systemErrorCode(cause) === "ENOENT") return undefined; // another process was faster
      throw cause;
    }
  }

  #isFree(identity: string): boolean {
    return identity === "free" || isGone(this.#files, identity);
  }

  #leftovers(folder: string, form: RegExp): { readonly path: string; readonly identity: string }[] {
    return this.#files.readdirSync(folder).flatMap((name) => {
      const identity = form.exec(name)?.[1];
      return identity === undefined ? [] : [{ path: `${folder}/${name}`, identity }];
    });
  }
}

/** `HEX.PID-START.COUNT` while it is written, `HEX.free.PID-START-COUNT` once it is left to others. */
const partialName = /^[0-9a-f]{64}\.([0-9]+-[0-9]+|free)\.[0-9-]+$/;

function sizeOfFile(files: FileSystem, path: string): number | undefined {
  const found = files.lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : undefined;
}
