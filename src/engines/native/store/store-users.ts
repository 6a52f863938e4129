/**
 * Who works on a store now (EN-40): builds, any number at the same time, or one that collects garbage. Both write down
 * that they are there before they look for the other, so that never both go on.
 */
import type { Clock } from "../../../base/index.js";
import { unavailable } from "../../../base/index.js";
import type { StoreLocks } from "./store-locks.js";
import type { Store } from "./store.js";
import { guarded } from "./store.js";

const pollMilliseconds = 100;
const builder = "build-";
/** The lock of the one that collects garbage. */
const collector = "gc";

export class StoreUsers {
  constructor(
    private readonly store: Store,
    private readonly locks: StoreLocks,
    private readonly clock: Clock,
    /** Name of this process, and whether the process of another name is still there. */
    private readonly owner: string,
    private readonly isAlive: (owner: string) => boolean,
  ) {}

  /** Waits for one that collects garbage; from then on none starts until {@link leave}. */
  async enter(): Promise<void> {
    for (;;) {
      const path = this.ownPath();
      guarded(path, () => {
        this.store.files.writeFileSync(path, "", { mode: 0o600 });
      });
      if (!this.locks.isHeld(collector)) return;
      this.leave();
      await this.clock.sleep(pollMilliseconds);
    }
  }

  leave(): void {
    this.store.files.rmSync(this.ownPath(), { force: true });
  }

  /**
   * Does the work while no other process builds on the store or collects its garbage.
   * @throws unavailable `store-busy`
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (!this.locks.tryLock(collector)) throw this.busy("another process collects its garbage now");
    try {
      const others = this.others();
      if (others > 0) throw this.busy(`${String(others)} other process(es) build on it now`);
      return await work();
    } finally {
      this.locks.unlock(collector);
    }
  }

  /** Other processes that build now. What those that are gone have left is removed. */
  private others(): number {
    const { files } = this.store;
    const names = files.readdirSync(`${this.store.root}/active`).filter((name) => name.startsWith(builder));
    const others = names.filter((name) => name !== `${builder}${this.owner}`);
    const alive = others.filter((name) => this.isAlive(name.slice(builder.length)));
    for (const name of others)
      if (!alive.includes(name)) files.rmSync(this.store.path("active", name), { force: true });
    return alive.length;
  }

  private ownPath(): string {
    return this.store.path("active", `${builder}${this.owner}`);
  }

  private busy(found: string): Error {
    return unavailable({
      code: "store-busy",
      message: `expected a store that nobody else uses, found that ${found}`,
      subject: this.store.root,
      hint: "run it again when they have ended",
    });
  }
}
