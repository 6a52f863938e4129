import { expect, it } from "vitest";

import { createSlots } from "./slots.js";

it("keeps within both limits, lets nobody wait for a full host, and gives places back after a failure", async () => {
  const slots = createSlots(3, 2);
  const busy = new Map<string, number>();
  const order: string[] = [];
  let most = 0;
  const work = (name: string, fails = false): Promise<void> =>
    slots.run(name, async () => {
      busy.set(name, (busy.get(name) ?? 0) + 1);
      most = Math.max(
        most,
        [...busy.values()].reduce((a, b) => a + b),
      );
      expect(busy.get(name)).toBeLessThanOrEqual(2);
      order.push(name);
      await new Promise((resolve) => setTimeout(resolve, 5));
      busy.set(name, (busy.get(name) ?? 0) - 1);
      if (fails) throw new RangeError("no");
    });
  const results = await Promise.allSettled([work("a"), work("a", true), work("a"), work("a"), work("b"), work("c")]);
  expect(results.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "fulfilled",
  ]);
  expect(most).toBe(3);
  expect(order.slice(0, 3)).toEqual(["a", "a", "b"]);
});

it("ends every wait when it is interrupted", async () => {
  const controller = new AbortController();
  const slots = createSlots(1, 1, controller.signal);
  const first = slots.run(
    "a",
    async () => await new Promise<string>((resolve) => setTimeout(() => resolve("done"), 50)),
  );
  const second = slots.run("a", async () => "never");
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: "interrupted" });
  expect(await first).toBe("done");
  await expect(slots.run("a", async () => "never")).rejects.toMatchObject({ code: "interrupted" });
});
