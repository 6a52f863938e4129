import { checkInterrupted } from "./hashing.js";

/** At most so many pieces of work at once, and at most so many of one name (a host) among them. */
export interface Slots {
  /** Waits for a free place, does the work, gives the place back. @throws unavailable `interrupted` while it waits */
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly name: string;
  readonly start: () => void;
}

export function createSlots(total: number, perName: number, abort?: AbortSignal): Slots {
  const busy = new Map<string, number>();
  let waiting: readonly Waiting[] = [];
  let running = 0;
  const fits = (name: string): boolean => running < total && (busy.get(name) ?? 0) < perName;
  const change = (name: string, by: number): void => {
    running += by;
    busy.set(name, (busy.get(name) ?? 0) + by);
  };
  const startNext = (): void => {
    const next = waiting.find((one) => fits(one.name));
    if (next === undefined) return;
    waiting = waiting.filter((one) => one !== next);
    change(next.name, 1);
    next.start();
  };
  abort?.addEventListener("abort", () => {
    const released = waiting;
    waiting = [];
    for (const one of released) {
      change(one.name, 1);
      one.start();
    }
  });
  return {
    async run(name, work) {
      checkInterrupted(abort);
      if (fits(name)) change(name, 1);
      else await new Promise<void>((start) => (waiting = [...waiting, { name, start }]));
      try {
        checkInterrupted(abort);
        return await work();
      } finally {
        change(name, -1);
        startNext();
      }
    },
  };
}
