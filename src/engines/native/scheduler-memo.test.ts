import { describe, expect, it } from "vitest";

import { SchedulerMemo } from "./scheduler-memo.js";

describe("work that is asked for at the same time", () => {
  it("is done once, and again after it has ended", async () => {
    const memo = new SchedulerMemo();
    let done = 0;
    const work = () =>
      memo.once("key", async () => {
        await Promise.resolve();
        return ++done;
      });
    expect(await Promise.all([work(), work(), work()])).toEqual([1, 1, 1]);
    expect(await work()).toBe(2);
    expect(await memo.once("other", () => Promise.resolve("x"))).toBe("x");
  });

  it("fails for all that wait, and is tried again by the next", async () => {
    const memo = new SchedulerMemo();
    const fail = () => memo.once("key", () => Promise.reject(new Error("no")));
    const settled = await Promise.allSettled([fail(), fail()]);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await memo.once("key", () => Promise.resolve("yes"))).toBe("yes");
  });
});
