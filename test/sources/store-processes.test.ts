/** Rules SO-20 to SO-27: one store and several processes, killed ones among them, and a full disk. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  makeHarness,
  requestFor,
  serve,
  sha256,
  startServer,
  temporaryFolder,
  uid,
  type Harness,
  type TestServer,
} from "./fixture.js";

const data = randomBytes(4 << 20);
const cache = new URL("../../node_modules/.cache", import.meta.url).pathname;
let bundleFolder: string;
let harness: Harness;
let server: TestServer | undefined;

beforeAll(() => {
  // Inside the repository, so that the packages that are not bundled are found.
  fs.mkdirSync(cache, { recursive: true });
  bundleFolder = fs.mkdtempSync(`${cache}/fetch-child-`);
  buildSync({
    entryPoints: [new URL("fetch-child.ts", import.meta.url).pathname],
    outfile: `${bundleFolder}/child.mjs`,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
  });
});

afterAll(() => fs.rmSync(bundleFolder, { recursive: true, force: true }));

beforeEach(() => {
  harness = makeHarness();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await harness.close();
});

function startChild(url: string): { child: ChildProcess; done: Promise<string> } {
  const child = spawn(process.execPath, [`${bundleFolder}/child.mjs`, harness.folder, url, sha256(data)]);
  let output = "";
  child.stdout.on("data", (piece: Buffer) => (output += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (output += piece.toString()));
  return { child, done: new Promise((resolve) => child.on("close", () => resolve(output))) };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sends the first half and then nothing more, unless a Range asks for the rest. */
async function startHalfServer(): Promise<TestServer> {
  return await startServer((request, response) => {
    if (request.headers.range !== undefined) serve(request, response, data);
    else response.writeHead(200, { "content-length": data.length }).write(data.subarray(0, data.length / 2));
  });
}

describe("a store that several processes use", () => {
  it("takes the same file from all of them at once (SO-22)", async () => {
    server = await startServer((request, response) => setTimeout(() => serve(request, response, data), 100));
    const children = [startChild(server.url), startChild(server.url), startChild(server.url)];
    const own = harness.fetchOne(requestFor(data, [server.url]));
    for (const { done } of children) expect(await done).toMatch(/^(?:downloaded|stored)$/);
    expect(await own).toMatchObject({ kind: "fetched" });
    expect(fs.readFileSync(harness.path(data)).equals(data)).toBe(true);
    expect(harness.partials()).toEqual([]);
  });

  it("shows nothing of a fetch that was killed, and goes on from what it left (SO-21, SO-23)", async () => {
    server = await startHalfServer();
    const { child, done } = startChild(server.url);
    const half = data.length / 2;
    await until(() => harness.partials().some((name) => fs.statSync(partialPath(name)).size === half));
    child.kill("SIGKILL");
    await done;
    expect(fs.existsSync(harness.path(data))).toBe(false);
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${String(half)}-`]);
    expect(harness.partials()).toEqual([]);
  });

  it("leaves the partial file of a living process alone (SO-23)", async () => {
    server = await startHalfServer();
    const { child, done } = startChild(server.url);
    await until(
      () => harness.partials().length === 1 && fs.statSync(partialPath(harness.partials()[0] ?? "")).size > 0,
    );
    const other = await startServer((request, response) => serve(request, response, data));
    expect(await harness.fetchOne(requestFor(data, [other.url]))).toMatchObject({ kind: "fetched" });
    await other.close();
    expect(other.requests[0]?.headers.range).toBeUndefined();
    expect(harness.partials()).toHaveLength(1);
    child.kill("SIGKILL");
    await done;
  });

  it("finishes from a complete leftover without asking anybody (SO-23)", async () => {
    fs.writeFileSync(partialPath(`${sha256(data)}.999999999-1.1`), data);
    expect(await harness.fetchOne(requestFor(data, []))).toMatchObject({ kind: "fetched", size: data.length });
    expect(harness.partials()).toEqual([]);
  });

  it("fetches from the start when a leftover turns out wrong (SO-8)", async () => {
    server = await startServer((request, response) => serve(request, response, data));
    fs.writeFileSync(partialPath(`${sha256(data)}.999999999-1.1`), randomBytes(1000));
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
    expect(server.requests.map(({ headers }) => headers.range)).toEqual(["bytes=1000-", undefined]);
  });

  it("sweeps out what nobody will come back for (SO-25)", async () => {
    const old = partialPath(`${"a".repeat(64)}.999999999-1.1`);
    const young = partialPath(`${"b".repeat(64)}.999999999-1.1`);
    const deadFolder = `${harness.folder}/store/sources/temporary/999999999-1.abcdef`;
    fs.writeFileSync(old, "x");
    fs.utimesSync(old, 1, 1);
    fs.writeFileSync(young, "x");
    fs.mkdirSync(`${deadFolder}/deep`, { recursive: true });
    await harness.fetch([]);
    expect([old, young, deadFolder].map((path) => fs.existsSync(path))).toEqual([false, true, false]);
  });
});

describe("an interrupt", () => {
  it("ends the fetch at once and keeps what came for the next (SO-2)", async () => {
    server = await startHalfServer();
    const half = data.length / 2;
    const controller = new AbortController();
    const running = harness.fetchOne(requestFor(data, [server.url]), {
      abort: controller.signal,
      onProgress: (event) => {
        if (event.received === half) setTimeout(() => controller.abort(), 10);
      },
    });
    await expect(running).rejects.toMatchObject({ kind: "unavailable", code: "interrupted" });
    const before = Date.now();
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
    expect(Date.now() - before).toBeLessThan(2000);
    expect(server.requests[1]?.headers.range).toBe(`bytes=${String(half)}-`);
  });

  it("ends a pause between two attempts, and a wait for a place", async () => {
    server = await startServer((_, response) => response.writeHead(503, { "retry-after": "60" }).end());
    const controller = new AbortController();
    const { clock } = harness.effects;
    const slow = { ...harness.effects, clock: { ...clock, sleep: realSleep } };
    const { fetchSources } = await import("../../src/sources/index.js");
    const settings = {
      store: harness.store,
      distfiles: [],
      aptSuites: [],
      environment: {},
      jobs: 1,
      abort: controller.signal,
    };
    const requests = ["a", "b", "c"].map((name) => requestFor(name, [`${server?.url ?? ""}/${name}`]));
    setTimeout(() => controller.abort(), 300);
    const before = Date.now();
    await expect(fetchSources(slow, settings, requests)).rejects.toMatchObject({ code: "interrupted" });
    expect(Date.now() - before).toBeLessThan(2000);
  });
});

describe("a full disk", () => {
  const canMount = uid === 0;
  if (!canMount) console.warn("SKIPPED: a full disk needs root to mount one");
  it.skipIf(!canMount)("is a clear error, tries no further mirror and leaves nothing behind (SO-26)", async () => {
    const small = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", small]);
    const full = makeHarness({ folder: small });
    try {
      server = await startServer((request, response) => serve(request, response, data));
      const outcome = await full.fetchOne(requestFor(data, [server.url, `${server.url}/second`]));
      if (outcome.kind !== "failed") throw new Error("expected a failure");
      expect(outcome.error).toMatchObject({ kind: "unavailable", code: "disk-full" });
      expect(outcome.error.hint).toContain("free some space");
      expect(server.requests).toHaveLength(1);
      expect(full.partials()).toEqual([]);
    } finally {
      full.store.close();
      execFileSync("umount", [small]);
      fs.rmSync(small, { recursive: true });
    }
  });
});

function partialPath(name: string): string {
  return `${harness.folder}/store/sources/partial/${name}`;
}

async function realSleep(milliseconds: number, abort?: AbortSignal): Promise<void> {
  const { nodeClock } = await import("../../src/host/index.js");
  await nodeClock.sleep(milliseconds, abort);
}
