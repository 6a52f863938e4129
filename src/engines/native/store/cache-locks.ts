/**
 * Who may use a cache mount's folder (`sharing`): `shared` by all at once, `locked` by one at a time, `private` by one,
 * while others get a folder of their own. Holds between the RUNs of one process and between processes.
 */
import type { Clock } from "../../../base/index.js";
import { digestOf, hexOf, systemErrorCode } from "../../../base/index.js";
import type { RunMount } from "../../../graph/index.js";
import type { Store } from "./store.js";

export interface HeldCaches {
  /** Folder below `cache/` of each mount that is a cache. */
  readonly folders: readonly (string | null)[];
  release(): void;
}

const pollMilliseconds = 100;
const nameLength = 40;

export class CacheLocks {
  private readonly held = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    /** Name of this process, and whether the process of another name is still there. */
    private readonly owner: string,
    private readonly isAlive: (owner: string) => boolean,
  ) {}

  /** Waits until every cache of the RUN may be used. Locks are taken in the order of their names, so nobody waits in a ring. */
  async acquire(target: string, mounts: readonly RunMount[]): Promise<HeldCaches> {
    const wanted = mounts
      .flatMap((mount, index) => (mount.kind === "cache" ? [{ index, mount, name: cacheName(target, mount.id) }] : []))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const folders: (string | null)[] = mounts.map(() => null);
    const taken: string[] = [];
    for (const { index, mount, name } of wanted) {
      folders[index] = await this.take(name, mount.sharing, taken);
    }
    return {
      folders,
      release: () => {
        for (const name of taken) this.unlock(name);
      },
    };
  }

  releaseAll(): void {
    for (const name of this.held) this.unlock(name);
  }

  private async take(name: string, sharing: "shared" | "private" | "locked", taken: string[]): Promise<string> {
    if (sharing === "shared" || taken.includes(name)) return name;
    for (let attempt = 0; ; attempt++) {
      const candidate = sharing === "private" && attempt > 0 ? `${name}-${String(attempt)}` : name;
      if (this.tryLock(candidate)) {
        taken.push(candidate);
        return candidate;
      }
      if (sharing === "locked") await this.clock.sleep(pollMilliseconds);
    }
  }

  private tryLock(name: string): boolean {
    if (this.held.has(name)) return false;
    const path = this.lockPath(name);
    const { files } = this.store;
    try {
      files.writeFileSync(path, this.owner, { flag: "wx", mode: 0o600 });
    } catch (thrown) {
      if (systemErrorCode(thrown) !== "EEXIST") throw thrown;
      if (this.isAlive(this.readOwner(path))) return false;
      files.rmSync(path, { force: true });
      return false; // the next attempt takes it, or finds who was faster
    }
    this.held.add(name);
    return true;
  }

  private readOwner(path: string): string {
    try {
      return this.store.files.readFileSync(path, "utf8");
    } catch (thrown) {
      if (systemErrorCode(thrown) === "ENOENT") return "";
      throw thrown;
    }
  }

  private unlock(name: string): void {
    this.held.delete(name);
    this.store.files.rmSync(this.lockPath(name), { force: true });
  }

  private lockPath(name: string): string {
    return this.store.path("cache", `${name}.lock`);
  }
}

function cacheName(target: string, id: string): string {
  return hexOf(digestOf(JSON.stringify([target, id]))).slice(0, nameLength);
}
