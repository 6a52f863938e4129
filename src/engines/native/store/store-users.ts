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

  /** Whether a process that is gone has left something that {@link enter} or the sweep of `tmp/` removes. */
  hasLeftovers(): boolean {
    const { builders, locks } = this.present();
    const gone = builders.some((name) => !this.isAlive(name)) || locks.some((name) => this.locks.isStale(name));
    return gone || this.temporaryLeftovers().length > 0;
  }

  /** Folders below `tmp/` of processes that are gone. */
  temporaryLeftovers(): string[] {
    return this.store.temporaryOwners().filter((owner) => !this.isAlive(owner));
  }

  /** Waits for one that collects garbage; from then on none starts until {@link leave}. */
  async enter(): Promise<void> {
    this.sweep();
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

  private present(): { readonly builders: readonly string[]; readonly locks: readonly string[] } {
    const names = this.store.files.readdirSync(`${this.store.root}/active`);
    const builders = names.filter((name) => name.startsWith(builder)).map((name) => name.slice(builder.length));
    return { builders, locks: names.filter((name) => !name.startsWith(builder)) };
  }

  private sweep(): void {
    const { builders, locks } = this.present();
    for (const name of builders) {
      if (!this.isAlive(name)) this.store.files.rmSync(this.store.path("active", builder + name), { force: true });
    }
    for (const name of locks) if (this.locks.isStale(name)) this.locks.removeStale(name);
  }

  /** Other processes that build now. */
  private others(): number {
    return this.present().builders.filter((name) => name !== this.owner && this.isAlive(name)).length;
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
