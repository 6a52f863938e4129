import { setTimeout as delay } from "node:timers/promises";

import type { Clock } from "../base/index.js";

export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds, abort) => {
    await delay(milliseconds, undefined, abort === undefined ? {} : { signal: abort });
  },
};
