/**
 * Who may use a cache mount's folder (`sharing`): `shared` by all at once, `locked` by one at a time, `private` by one,
 * while others get a folder of their own. Holds between the RUNs of one process and between processes.
 */
import { digestOf, hexOf } from "../../../base/index.js";
import type { RunMount } from "../../../graph/index.js";
import type { StoreLocks } from "./store-locks.js";

export interface HeldCaches {
  /** Folder below `cache/` of each mount that is a cache. */
  readonly folders: readonly (string | null)[];
  release(): void;
}

const nameLength = 40;

export class CacheLocks {
  constructor(private readonly locks: StoreLocks) {}

  /** Ends all waiting. */
  close(): void {
    this.locks.close();
  }

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
        for (const name of taken) this.locks.unlock(lockName(name));
      },
    };
  }

  private async take(name: string, sharing: "shared" | "private" | "locked", taken: string[]): Promise<string> {
    if (sharing === "shared" || taken.includes(name)) return name;
    for (let attempt = 0; ; attempt++) {
      const candidate = sharing === "private" && attempt > 0 ? `${name}-${String(attempt)}` : name;
      if (this.locks.tryLock(lockName(candidate))) {
        taken.push(candidate);
        return candidate;
      }
      if (sharing === "locked") await this.locks.wait();
    }
  }
}

function lockName(cache: string): string {
  return `cache-${cache}`;
}

function cacheName(target: string, id: string): string {
  return hexOf(digestOf(JSON.stringify([target, id]))).slice(0, nameLength);
}
