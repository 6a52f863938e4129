/** Names that one holder at a time may have, among the steps of a process and among processes. */
import type { Clock } from "../../../base/index.js";
import { systemErrorCode, unavailable } from "../../../base/index.js";
import type { Store } from "./store.js";

const pollMilliseconds = 100;

export class StoreLocks {
  private readonly held = new Set<string>();
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    /** Name of this process, and whether the process of another name is still there. */
    private readonly owner: string,
    private readonly isAlive: (owner: string) => boolean,
  ) {}

  /** Runs the work while nobody else holds the name. @throws unavailable `interrupted` */
  async alone<T>(name: string, work: () => T): Promise<T> {
    while (!this.tryLock(name)) await this.wait();
    try {
      return work();
    } finally {
      this.unlock(name);
    }
  }

  /** A moment before the next attempt. @throws unavailable `interrupted` once nobody may wait any more */
  async wait(): Promise<void> {
    await this.clock.sleep(pollMilliseconds);
    if (this.closed) throw unavailable({ code: "interrupted", message: "the build was stopped while it waited" });
  }

  /** Ends all waiting. */
  close(): void {
    this.closed = true;
  }

  /** Takes the name if it is free. A holder that is gone loses it. */
  tryLock(name: string): boolean {
    if (this.held.has(name)) return false;
    // The second attempt is for a lock whose holder was gone.
    const taken = this.create(name) || (this.removeStale(name) && this.create(name));
    if (taken) this.held.add(name);
    return taken;
  }

  /** Whether some other process has the name. */
  isHeld(name: string): boolean {
    const holder = this.holder(name);
    return holder !== undefined && !this.held.has(name) && this.isAlive(holder);
  }

  /** Whether the one that has the name is gone. */
  isStale(name: string): boolean {
    const holder = this.holder(name);
    return holder !== undefined && !this.isAlive(holder);
  }

  private holder(name: string): string | undefined {
    try {
      return this.store.files.readFileSync(this.path(name), "utf8");
    } catch (thrown) {
      if (systemErrorCode(thrown) === "ENOENT") return undefined;
      throw thrown;
    }
  }

  unlock(name: string): void {
    this.held.delete(name);
    this.store.files.rmSync(this.path(name), { force: true });
  }

  unlockAll(): void {
    for (const name of this.held) this.unlock(name);
  }

  private create(name: string): boolean {
    const { files } = this.store;
    // A lock is complete from its first moment on: it is written elsewhere and linked to its name.
    const draft = this.store.temporary("lock");
    files.writeFileSync(draft, this.owner, { mode: 0o600 });
    try {
      files.linkSync(draft, this.path(name));
      return true;
    } catch (thrown) {
      if (systemErrorCode(thrown) === "EEXIST") return false;
      throw thrown;
    } finally {
      files.rmSync(draft, { force: true });
    }
  }

  /** Takes the name from a holder that is gone. False where somebody has it. */
  removeStale(name: string): boolean {
    const path = this.path(name);
    const { files } = this.store;
    try {
      if (this.isAlive(files.readFileSync(path, "utf8"))) return false;
      // Moved first: of two that find it stale, one moves it, and a lock that is new by then is not removed.
      const aside = this.store.temporary("stale");
      files.renameSync(path, aside);
      const moved = files.readFileSync(aside, "utf8");
      if (this.isAlive(moved)) {
        files.linkSync(aside, path);
        files.rmSync(aside);
        return false;
      }
      files.rmSync(aside);
      return true;
    } catch (thrown) {
      const code = systemErrorCode(thrown);
      if (code === "ENOENT" || code === "EEXIST") return code === "ENOENT";
      throw thrown;
    }
  }

  private path(name: string): string {
    return this.store.path("active", name);
  }
}
