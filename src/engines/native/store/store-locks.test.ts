/** Locks of several processes on one store: here several values in one process, with names that live and die. */
import * as fs from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { TestStores } from "../../../../test/support/engine-store.js";
import type { RunMount } from "../../../graph/index.js";
import { CacheLocks } from "./cache-locks.js";
import { StoreLocks } from "./store-locks.js";
import { StoreUsers } from "./store-users.js";

let stores: TestStores;
const alive = new Set<string>();

beforeEach(() => {
  stores = new TestStores();
  alive.clear();
});
afterEach(() => {
  stores.remove();
});

function processOf(owner: string) {
  alive.add(owner);
  const store = stores.open(owner);
  const isAlive = (name: string): boolean => alive.has(name);
  const locks = new StoreLocks(store, stores.clock, owner, isAlive);
  return {
    store,
    locks,
    users: new StoreUsers(store, locks, stores.clock, owner, isAlive),
    caches: new CacheLocks(locks),
  };
}

describe("a lock", () => {
  it("has one holder, in one process and among several", () => {
    const [a, b] = [processOf("a").locks, processOf("b").locks];
    expect([a.tryLock("x"), a.tryLock("x"), b.tryLock("x"), b.tryLock("y")]).toEqual([true, false, false, true]);
    expect([a.isHeld("y"), b.isHeld("y"), a.isHeld("none")]).toEqual([true, false, false]);
    a.unlock("x");
    expect(b.tryLock("x")).toBe(true);
  });

  it("is taken from a holder that is gone, once", () => {
    const [a, b, c] = [processOf("a").locks, processOf("b").locks, processOf("c").locks];
    expect(a.tryLock("x")).toBe(true);
    alive.delete("a");
    expect(b.isStale("x")).toBe(true);
    expect([b.tryLock("x"), c.tryLock("x")]).toEqual([true, false]);
  });

  it("that is empty or full of garbage is no live one's", () => {
    const { locks, store } = processOf("a");
    for (const text of ["", "\0", "b\n", "x".repeat(1000)]) {
      fs.writeFileSync(store.path("active", "x"), text);
      expect(locks.tryLock("x")).toBe(true);
      locks.unlock("x");
    }
  });

  it("is waited for, and given back when the work throws", async () => {
    const [a, b] = [processOf("a").locks, processOf("b").locks];
    a.tryLock("x");
    stores.onSleep = () => stores.sleeps > 3 && a.unlock("x");
    await expect(
      b.alone("x", () => {
        throw new Error("work");
      }),
    ).rejects.toThrow("work");
    expect(a.tryLock("x")).toBe(true);
  });

  it("is waited for no longer once nobody may wait", async () => {
    const [a, b] = [processOf("a").locks, processOf("b").locks];
    a.tryLock("x");
    stores.onSleep = () => stores.sleeps > 3 && b.close();
    await expect(b.alone("x", () => 1)).rejects.toMatchObject({ kind: "unavailable", code: "interrupted" });
  });

  it("of everything that a process holds can be given back at once", () => {
    const [a, b] = [processOf("a").locks, processOf("b").locks];
    for (const name of ["x", "y"]) a.tryLock(name);
    a.unlockAll();
    expect(["x", "y"].map((name) => b.tryLock(name))).toEqual([true, true]);
  });
});

describe("the users of a store (EN-40)", () => {
  it("are builders, any number, or one that collects garbage", async () => {
    const [a, b, c] = [processOf("a").users, processOf("b").users, processOf("c").users];
    await a.enter();
    await b.enter();
    await expect(c.alone(() => Promise.resolve(1))).rejects.toMatchObject({
      code: "store-busy",
      message: expect.stringContaining("2 other") as string,
    });
    a.leave();
    b.leave();
    expect(await c.alone(() => Promise.resolve(1))).toBe(1);
  });

  it("collect garbage alone: a builder waits, a second collector is refused, one that built itself may", async () => {
    const [a, b] = [processOf("a").users, processOf("b").users];
    await a.enter();
    const entered: string[] = [];
    await a.alone(async () => {
      await expect(b.alone(() => Promise.resolve(1))).rejects.toMatchObject({ code: "store-busy" });
      const waiting = b.enter().then(() => entered.push("b"));
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect([entered, stores.sleeps > 0]).toEqual([[], true]);
      void waiting;
    });
    for (let turn = 0; turn < 200 && entered.length === 0; turn++) await Promise.resolve();
    expect(entered).toEqual(["b"]);
  });

  it("that are gone are in nobody's way, and what they left is seen and swept", async () => {
    const dead = processOf("dead");
    await dead.users.enter();
    dead.locks.tryLock("gc");
    dead.store.temporaryFolder();
    const { users, store } = processOf("a");
    expect(users.hasLeftovers()).toBe(false);
    alive.delete("dead");
    expect([users.hasLeftovers(), users.temporaryLeftovers()]).toEqual([true, ["dead"]]);
    await users.enter();
    expect(fs.readdirSync(`${store.root}/active`)).toEqual(["build-a"]);
    expect(await users.alone(() => Promise.resolve("done"))).toBe("done");
  });
});

describe("caches (EN-61)", () => {
  const mount = (id: string, sharing: "shared" | "private" | "locked"): RunMount => ({
    ...{ kind: "cache", id, target: "/c", sharing, from: undefined, source: "/", mode: 0o755, uid: 0, gid: 0 },
    readonly: false,
  });

  it("have a folder for each target and id", async () => {
    const { caches } = processOf("a");
    const folders = await Promise.all(
      [
        ["t", "i"],
        ["t", "j"],
        ["u", "i"],
        ["t", "i"],
      ].map(async ([target = "", id = ""]) => (await caches.acquire(target, [mount(id, "shared")])).folders[0]),
    );
    expect(new Set(folders).size).toBe(3);
    expect(folders[0]).toBe(folders[3]);
    for (const folder of folders) expect(folder).toMatch(/^[0-9a-f]{40}$/);
  });

  it("that are private are others for others at the same time, and the same again afterwards", async () => {
    const [a, b] = [processOf("a").caches, processOf("b").caches];
    const first = await a.acquire("t", [mount("i", "private")]);
    const second = await b.acquire("t", [mount("i", "private")]);
    expect(second.folders[0]).toBe(`${String(first.folders[0])}-1`);
    first.release();
    second.release();
    expect((await b.acquire("t", [mount("i", "private")])).folders).toEqual(first.folders);
  });

  it("that are locked are waited for, in one order whatever the order of the mounts", async () => {
    const [a, b] = [processOf("a").caches, processOf("b").caches];
    const ids = ["i", "j", "k"];
    for (let turn = 0; turn < 5; turn++) {
      const both = [
        a.acquire(
          "t",
          ids.map((id) => mount(id, "locked")),
        ),
        b.acquire(
          "t",
          [...ids].reverse().map((id) => mount(id, "locked")),
        ),
      ];
      const done = both.map(async (one) => {
        const held = await one;
        await Promise.resolve();
        held.release();
        return held.folders.length;
      });
      expect(await Promise.all(done)).toEqual([3, 3]);
    }
  });

  it("named twice by one RUN do not wait for themselves", async () => {
    const { folders } = await processOf("a").caches.acquire("t", [
      mount("i", "locked"),
      { kind: "tmpfs", target: "/t", size: undefined },
      mount("i", "locked"),
    ]);
    expect([folders[0], folders[1]]).toEqual([folders[2], null]);
  });
});
