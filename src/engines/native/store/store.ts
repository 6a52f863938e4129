/**
 * The store of the native engine: one folder that belongs to one user. Everything under a final name was complete
 * before it got that name, so that a process may be killed at any moment: what it left lies in its own folder below
 * `tmp/` and goes with the next run.
 *
 *     blobs/HEX.tar        layer, uncompressed, by diff id
 *     gzip/HEX.gz, .json   the same layer compressed, by diff id, and its descriptor
 *     layers/ID.json       what a layer says, with the true times that the tar has lost
 *     roots/ID/            the layer as a folder, for overlay mounts
 *     steps/KEY.json       which layer a step gave, when
 *     targets/, cache/, logs/, active/, tmp/
 */
import { malformed, messageOf, systemErrorCode, unavailable, untrusted } from "../../../base/index.js";
import type { FileSystem } from "../../../base/index.js";

const version = "1";

const folders = ["blobs", "gzip", "layers", "roots", "steps", "targets", "cache", "logs", "active", "tmp"] as const;
export type StoreFolder = (typeof folders)[number];

export class Store {
  private counter = 0;

  constructor(
    readonly root: string,
    readonly files: FileSystem,
    private readonly owner: string,
  ) {}

  path(folder: StoreFolder, name: string): string {
    return `${this.root}/${folder}/${name}`;
  }

  has(folder: StoreFolder, name: string): boolean {
    return this.files.existsSync(this.path(folder, name));
  }

  /** This process's own temporary folder. */
  temporaryFolder(): string {
    const folder = this.path("tmp", this.owner);
    guarded(folder, () => this.files.mkdirSync(folder, { recursive: true, mode: 0o700 }));
    return folder;
  }

  /** A new name in the temporary folder; nothing is there yet. */
  temporary(kind: string): string {
    return `${this.temporaryFolder()}/${kind}-${String(++this.counter)}`;
  }

  /** The value of a JSON file, or undefined when there is none or a crash of the machine left it torn. */
  readRecord(folder: StoreFolder, name: string): unknown {
    try {
      return JSON.parse(this.files.readFileSync(this.path(folder, `${name}.json`), "utf8"));
    } catch (thrown) {
      if (systemErrorCode(thrown) === "ENOENT" || thrown instanceof SyntaxError) return undefined;
      throw ioError(thrown, this.path(folder, `${name}.json`));
    }
  }

  /** Writes a JSON file so that a reader sees the old one or the whole new one. */
  writeRecord(folder: StoreFolder, name: string, value: unknown): void {
    const temporary = this.temporary("record");
    const path = this.path(folder, `${name}.json`);
    guarded(path, () => {
      this.files.writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
      this.files.renameSync(temporary, path);
    });
  }

  /** Moves a finished file or folder to its name. One that is there already is kept: the name says what it holds. */
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

  /** Folders below `tmp/`, each named after the process or thread that made it. */
  temporaryOwners(): string[] {
    return this.files.readdirSync(`${this.root}/tmp`).sort();
  }
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
  const full = code === "ENOSPC" || code === "EDQUOT";
  return unavailable({
    code: full ? "disk-full" : "store-io",
    message: full ? "no space is left on the disk of the store" : messageOf(thrown),
    subject: path,
    hint: full ? "free some space or run `stagewright gc`; what is finished is kept" : undefined,
    cause: thrown,
  });
}

/**
 * Opens the store, making it when it is not there.
 * @param ownUid the user id that this process acts as.
 * @param owner names this process or thread among all that use the store at the same time: its folder below `tmp/`.
 * @throws untrusted `store-not-private` when the store or a folder above it is another's or may be written by others.
 * @throws malformed `store-version` for a store of a later version.
 */
export function openStore(root: string, files: FileSystem, ownUid: number, owner: string): Store {
  guarded(root, () => files.mkdirSync(root, { recursive: true, mode: 0o700 }));
  const real = guarded(root, () => files.realpathSync(root));
  checkPrivate(real, files, ownUid);
  for (const folder of folders) {
    guarded(real, () => files.mkdirSync(`${real}/${folder}`, { recursive: true, mode: 0o700 }));
    checkOwn(`${real}/${folder}`, files, ownUid);
  }
  checkVersion(real, files);
  return new Store(real, files, owner);
}

function checkVersion(root: string, files: FileSystem): void {
  const path = `${root}/version`;
  if (!files.existsSync(path)) {
    guarded(path, () => {
      files.writeFileSync(path, `${version}\n`, { mode: 0o600 });
    });
    return;
  }
  const found = files.readFileSync(path, "utf8").trim();
  if (found === version || found === "") return;
  throw malformed({
    code: "store-version",
    message: `expected a store of version ${version}, found ${JSON.stringify(found.slice(0, 40))}`,
    subject: path,
    hint: "give another folder with --store, or delete this one: it holds nothing that cannot be built again",
  });
}

function checkPrivate(root: string, files: FileSystem, ownUid: number): void {
  checkOwn(root, files, ownUid);
  for (let path = parentOf(root); ; path = parentOf(path)) {
    const stat = guarded(path, () => files.lstatSync(path));
    const sticky = (stat.mode & 0o1000) !== 0;
    if (stat.uid !== 0 && stat.uid !== ownUid) throw notPrivate(path, `user ${String(stat.uid)} owns it`);
    if ((stat.mode & 0o022) !== 0 && !sticky) throw notPrivate(path, "others may write to it");
    if (path === "/") return;
  }
}

function checkOwn(path: string, files: FileSystem, ownUid: number): void {
  const stat = guarded(path, () => files.lstatSync(path));
  if (!stat.isDirectory()) throw notPrivate(path, "it is no folder");
  if (stat.uid !== ownUid) throw notPrivate(path, `user ${String(stat.uid)} owns it`);
  if ((stat.mode & 0o077) !== 0) throw notPrivate(path, "others may enter it");
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function notPrivate(path: string, found: string): Error {
  return untrusted({
    code: "store-not-private",
    message: `expected a folder that only this user can change, found that ${found}`,
    subject: path,
    hint: "give a folder of your own with --store; a store belongs to one user and has mode 0700",
  });
}
