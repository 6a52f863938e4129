/** Rules SO-1 to SO-16 of docs/spec/sources.md, against real servers on the loopback. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  cutAfter,
  makeHarness,
  requestFor,
  serve,
  sha256,
  shortWhole,
  startServer,
  type Harness,
  type TestServer,
} from "./fixture.js";

const data = randomBytes(300_000);
let harness: Harness;
const servers: TestServer[] = [];

beforeEach(() => {
  harness = makeHarness();
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => await server.close()));
  await harness.close();
});

async function start(handler: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(handler);
  servers.push(server);
  return server;
}

const good = async (): Promise<TestServer> => await start((request, response) => serve(request, response, data));

describe("a fetch", () => {
  it("puts the file under its hash, readable by all, and asks nobody the second time (SO-1, SO-24)", async () => {
    const server = await good();
    const first = await harness.fetchOne(requestFor(data, [`${server.url}/a`]));
    expect(first).toMatchObject({ kind: "fetched", state: "downloaded", size: data.length, mirror: `${server.url}/a` });
    expect(fs.readFileSync(harness.path(data)).equals(data)).toBe(true);
    expect(fs.statSync(harness.path(data)).mode & 0o7777).toBe(0o644);
    const second = await harness.fetchOne(requestFor(data, [`${server.url}/a`]));
    expect(second).toMatchObject({ kind: "fetched", state: "stored", mirror: undefined, path: harness.path(data) });
    expect(server.requests).toHaveLength(1);
    expect(harness.partials()).toEqual([]);
  });

  it("tells its progress from the first byte to the last (SO-9)", async () => {
    const server = await good();
    await harness.fetchOne(requestFor(data, [`${server.url}/a`]));
    const states = harness.events.map(({ state }) => state);
    expect(states[0]).toBe("trying");
    expect(states.at(-1)).toBe("done");
    const received = harness.events.filter(({ state }) => state === "receiving");
    expect(received.at(-1)).toMatchObject({ received: data.length, total: data.length, fileName: "file.tar" });
    expect(received.map((event) => event.received)).toEqual(
      received.map((event) => event.received).sort((a, b) => a - b),
    );
  });

  it("asks the mirrors in order and names both hashes of a wrong file (SO-6)", async () => {
    const bad = await start((_, response) => response.end("other bytes"));
    const server = await good();
    const outcome = await harness.fetchOne(requestFor(data, [`${bad.url}/x`, `${server.url}/y`, `${bad.url}/z`]));
    expect(outcome).toMatchObject({ kind: "fetched", mirror: `${server.url}/y` });
    const failed = harness.events.find(({ state }) => state === "mirror-failed");
    expect(failed?.mirror).toBe(`${bad.url}/x`);
    expect(failed?.message).toContain(sha256(data));
    expect(failed?.message).toContain(sha256("other bytes"));
    expect(bad.requests).toHaveLength(1);
  });

  it("is rejected when a mirror gave other bytes, whatever the others did, and lists each mirror (SO-7)", async () => {
    const bad = await start((_, response) => response.end("other bytes"));
    const gone = await start((_, response) => response.writeHead(404).end());
    const outcome = await harness.fetchOne(requestFor(data, [`${bad.url}/x`, `${gone.url}/y`]));
    if (outcome.kind !== "failed") throw new Error("expected a failure");
    expect(outcome.error).toMatchObject({ kind: "rejected", code: "source-rejected" });
    expect(outcome.error.message).toContain(`${bad.url}/x`);
    expect(outcome.error.message).toContain(`${gone.url}/y: the server answered HTTP 404`);
    expect(outcome.error.subject).toBe("packages/core/thing: thing (file.tar)");
    expect(fs.existsSync(harness.path(data))).toBe(false);
    expect(fs.existsSync(harness.path("other bytes"))).toBe(false);
    expect(harness.partials()).toEqual([]);
  });

  it("is unavailable when no mirror gave anything (SO-7)", async () => {
    const gone = await start((_, response) => response.writeHead(404).end("not here"));
    const closed = await good();
    await closed.close();
    const outcome = await harness.fetchOne(requestFor(data, [`${gone.url}/y`, `${closed.url}/z`]));
    if (outcome.kind !== "failed") throw new Error("expected a failure");
    expect(outcome.error).toMatchObject({ kind: "unavailable", code: "source-unavailable" });
    expect(outcome.failures.map(({ verdict }) => verdict)).toEqual(["none", "none"]);
    expect(gone.requests).toHaveLength(1);
    expect(outcome.failures[1]?.reason).toContain("ECONNREFUSED");
  });

  it("goes on with the other files when one fails, and answers in the order of the requests (SO-2)", async () => {
    const server = await start((request, response) => {
      if (request.url === "/bad") response.writeHead(404).end();
      else serve(request, response, Buffer.from(request.url ?? ""));
    });
    const names = ["/one", "/bad", "/two"];
    const outcomes = await harness.fetch(names.map((name) => requestFor(name, [`${server.url}${name}`])));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["fetched", "failed", "fetched"]);
    expect(outcomes.map(({ request }) => request.sha256)).toEqual(names.map((name) => sha256(name)));
  });

  it("takes one hash once, from the mirrors of all who ask for it (SO-3)", async () => {
    const server = await good();
    const gone = await start((_, response) => response.writeHead(404).end());
    const outcomes = await harness.fetch([
      requestFor(data, [`${gone.url}/a`]),
      { ...requestFor(data, [`${server.url}/b`]), package: "packages/user/other" },
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["fetched", "fetched"]);
    expect(outcomes[1]?.request.package).toBe("packages/user/other");
    expect(server.requests).toHaveLength(1);
  });

  it("has no more downloads at once than allowed, in all and from one host (SO-4)", async () => {
    let busy = 0;
    let most = 0;
    const handler = (request: { url?: string | undefined }, response: ServerResponse): void => {
      busy += 1;
      most = Math.max(most, busy);
      setTimeout(() => {
        busy -= 1;
        response.end(request.url);
      }, 30);
    };
    const [one, two] = [await start(handler), await start(handler)];
    const of = (server: TestServer, count: number): ReturnType<typeof requestFor>[] =>
      Array.from({ length: count }, (_, index) => {
        const path = `/${String(server.port)}-${String(index)}`;
        return requestFor(path, [`${server.url}${path}`]);
      });
    await harness.fetch(of(one, 8), { jobs: 8, jobsPerHost: 2 });
    expect(most).toBe(2);
    most = 0;
    const outcomes = await harness.fetch([...of(one, 20), ...of(two, 12)], { jobs: 3, jobsPerHost: 2 });
    expect(outcomes.every(({ kind }) => kind === "fetched")).toBe(true);
    expect(most).toBe(3);
  });
});

describe("a mirror in trouble", () => {
  it.each([429, 500, 502, 503, 504, 408])("is asked again after HTTP %i, each time later (SO-5)", async (status) => {
    const server = await start((request, response, count) => {
      if (count < 3) response.writeHead(status).end();
      else serve(request, response, data);
    });
    expect(await harness.fetchOne(requestFor(data, [`${server.url}/a`]))).toMatchObject({ kind: "fetched" });
    expect(harness.pauses).toEqual([500, 1000]);
    expect(harness.events.filter(({ state }) => state === "retrying")).toHaveLength(2);
  });

  it("is given the time that Retry-After asks for, within a limit (SO-5)", async () => {
    const server = await start((request, response, count) => {
      if (count === 1) response.writeHead(503, { "retry-after": "7" }).end();
      else if (count === 2) response.writeHead(429, { "retry-after": "999999" }).end();
      else serve(request, response, data);
    });
    expect(await harness.fetchOne(requestFor(data, [`${server.url}/a`]))).toMatchObject({ kind: "fetched" });
    expect(harness.pauses).toEqual([7000, 60_000]);
  });

  it("is given up after the last attempt, and for good after an answer that stays (SO-5)", async () => {
    const server = await start((_, response) => response.writeHead(500).end());
    const strict = await start((_, response) => response.writeHead(403).end());
    const outcome = await harness.fetchOne(requestFor(data, [`${server.url}/a`, `${strict.url}/b`]));
    expect(outcome).toMatchObject({ kind: "failed", error: { kind: "unavailable" } });
    expect([server.requests.length, strict.requests.length]).toEqual([3, 1]);
  });

  it("is left when it is silent, before the answer or in it (SO-5)", async () => {
    const silent = await start(() => undefined);
    const stuck = await start((_, response) => {
      response.writeHead(200, { "content-length": data.length });
      response.write(data.subarray(0, 1000));
    });
    const outcome = await harness.fetchOne(requestFor(data, [`${silent.url}/a`, `${stuck.url}/b`]), {
      timeOuts: { connect: 500, idle: 200, whole: 3_600_000 },
      retry: { attempts: 1, firstDelay: 1, longestDelay: 1 },
    });
    if (outcome.kind !== "failed") throw new Error("expected a failure");
    expect(outcome.error.kind).toBe("unavailable");
    expect(outcome.failures[0]?.reason).toMatch(/timeout/i);
    expect(outcome.failures[1]?.reason).toMatch(/timeout/i);
  });

  it("is left when it drips for longer than the whole time-out (SO-5)", async () => {
    const drip = await start((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const server = await good();
    const outcome = await harness.fetchOne(requestFor(data, [`${drip.url}/a`, `${server.url}/b`]), {
      timeOuts: { connect: 500, idle: 500, whole: shortWhole },
    });
    expect(outcome).toMatchObject({ kind: "fetched", mirror: `${server.url}/b` });
    expect(harness.events.find(({ state }) => state === "mirror-failed")?.message).toContain("not done after");
  });
});

describe("a cut connection", () => {
  it("is continued where the server can, on condition that its file is the same (SO-8)", async () => {
    const server = await start((request, response, count) => {
      if (count === 1) cutAfter(response, data, 100_000);
      else serve(request, response, data);
    });
    expect(await harness.fetchOne(requestFor(data, [`${server.url}/a`]))).toMatchObject({ kind: "fetched" });
    expect(server.requests[1]?.headers).toMatchObject({ range: "bytes=100000-", "if-range": '"v1"' });
    expect(fs.readFileSync(harness.path(data)).equals(data)).toBe(true);
  });

  it("starts over where the server cannot (SO-8)", async () => {
    const server = await start((_, response, count) => {
      if (count === 1) cutAfter(response, data, 100_000);
      else response.end(data);
    });
    expect(await harness.fetchOne(requestFor(data, [`${server.url}/a`]))).toMatchObject({ kind: "fetched" });
    expect(server.requests).toHaveLength(2);
  });

  it("is continued at another mirror (SO-8)", async () => {
    const cut = await start((request, response) => {
      if (request.headers.range === undefined) cutAfter(response, data, 50_000);
      else response.writeHead(404).end();
    });
    const server = await good();
    const outcome = await harness.fetchOne(requestFor(data, [`${cut.url}/a`, `${server.url}/b`]));
    expect(outcome).toMatchObject({ kind: "fetched", mirror: `${server.url}/b` });
    expect(server.requests[0]?.headers.range).toBe("bytes=50000-");
    expect(server.requests[0]?.headers["if-range"]).toBeUndefined();
  });

  it("does not end a long download whose every attempt brings it on (SO-5)", async () => {
    const large = randomBytes(8 << 20);
    const server = await start((request, response) => {
      const from = Number(/[0-9]+/.exec(request.headers.range ?? "0")?.[0] ?? 0);
      if (from < 6 << 20) cutAfter(response, large, (1 << 20) + 5000, from);
      else serve(request, response, large);
    });
    expect(await harness.fetchOne(requestFor(large, [`${server.url}/a`]))).toMatchObject({ kind: "fetched" });
    expect(server.requests.length).toBeGreaterThan(4);
  });
});

describe("redirects", () => {
  it("are followed, also with a relative address (SO-12)", async () => {
    const server = await start((request, response) => {
      if (request.url === "/a") response.writeHead(302, { location: "b" }).end();
      else if (request.url === "/b") response.writeHead(308, { location: `${server.url}/c` }).end();
      else serve(request, response, data);
    });
    expect(await harness.fetchOne(requestFor(data, [`${server.url}/a`]))).toMatchObject({
      kind: "fetched",
      mirror: `${server.url}/a`,
    });
  });
});

describe("local copies", () => {
  it("come from the folder of distfiles first, by name or hash, and only with the right bytes (SO-14)", async () => {
    const distfiles = `${harness.folder}/distfiles`;
    fs.mkdirSync(distfiles);
    const server = await good();
    fs.writeFileSync(`${distfiles}/file.tar`, "an older file of that name");
    const first = await harness.fetchOne(requestFor(data, [`${server.url}/a`]), { distfiles: [distfiles] });
    expect(first).toMatchObject({ kind: "fetched", state: "downloaded" });
    const other = randomBytes(3_000_000);
    fs.writeFileSync(`${distfiles}/${sha256(other)}`, other);
    const second = await harness.fetchOne(requestFor(other, [`${server.url}/b`]), { distfiles: [distfiles] });
    expect(second).toMatchObject({ state: "distfiles", mirror: `${distfiles}/${sha256(other)}`, size: other.length });
    fs.writeFileSync(`${distfiles}/third.tar`, "third");
    const third = await harness.fetchOne(requestFor("third", [], "third.tar"), { distfiles: [distfiles] });
    expect(third).toMatchObject({ state: "distfiles" });
    expect(server.requests).toHaveLength(1);
  });

  it("come from file: mirrors; a folder, a pipe and a missing file are no answer (SO-11)", async () => {
    fs.writeFileSync(`${harness.folder}/a file`, data);
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [`${harness.folder}/pipe`]);
    const mirrors = ["pipe", "missing", "store", "a%20file"].map((name) => `file:${harness.folder}/${name}`);
    const outcome = await harness.fetchOne(requestFor(data, mirrors));
    expect(outcome).toMatchObject({ kind: "fetched", mirror: mirrors[3]?.replace("%20", "%20") });
    const reasons = harness.events.filter(({ state }) => state === "mirror-failed").map(({ message }) => message);
    expect(reasons).toEqual(["is no regular file", "no such file", "is no regular file"]);
  });
});
