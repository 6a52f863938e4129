/** Stores of the native engine in a temporary folder, with a clock that the test sets. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Clock, FileSystem } from "../../src/base/index.js";
import { openStore, type Store } from "../../src/engines/native/store/store.js";

export class TestStores {
  readonly folder = fs.mkdtempSync(join(tmpdir(), "stagewright-store-"));
  /** Milliseconds since the epoch. */
  time = 1_700_000_000_000;
  sleeps = 0;
  /** Called while somebody sleeps. */
  onSleep: () => void = () => undefined;

  readonly clock: Clock = {
    now: () => this.time,
    monotonic: () => this.time,
    sleep: async (milliseconds) => {
      this.time += milliseconds;
      this.sleeps++;
      if (this.sleeps > 1000) throw new Error("slept too often");
      this.onSleep();
      await Promise.resolve();
    },
  };

  open(owner: string, files: FileSystem = fs): Store {
    const uid = process.getuid?.() ?? 0;
    return openStore(join(this.folder, "store"), { files, clock: this.clock, uid, owner });
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
