/** Servers that lie: whatever they send, only bytes with the right hash get a name, and every loop has an end. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Http } from "../../src/base/index.js";
import {
  cutAfter,
  makeHarness,
  requestFor,
  serve,
  startServer,
  type Harness,
  type TestServer,
} from "../sources/fixture.js";

const data = randomBytes(200_000);
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

async function reasonOf(url: string, settings = {}): Promise<string> {
  const outcome = await harness.fetchOne(requestFor(data, [url]), settings);
  if (outcome.kind !== "failed") throw new Error("expected a failure");
  expect(fs.existsSync(harness.path(data))).toBe(false);
  return outcome.failures[0]?.reason ?? "";
}

describe("answers to a Range that lie", () => {
  it("other bytes: fetched once more from the start", async () => {
    const server = await start((request, response, count) => {
      if (count === 1) cutAfter(response, data, 100_000);
      else if (request.headers.range !== undefined) serve(request, response, randomBytes(data.length));
      else response.end(data);
    });
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=100000-", undefined]);
  });

  it("another range than asked for, and a range nobody asked for: never spliced in", async () => {
    const server = await start((request, response, count) => {
      if (count === 1) cutAfter(response, data, 100_000);
      else if (request.headers.range !== undefined) {
        response.writeHead(206, { "content-range": `bytes 50000-199999/200000` }).end(data.subarray(50_000));
      } else if (count === 3) response.writeHead(206, { "content-range": "bytes 0-1/2" }).end("xx");
      else response.end(data);
    });
    const outcome = await harness.fetchOne(requestFor(data, [server.url]), {
      retry: { attempts: 4, firstDelay: 1, longestDelay: 1 },
    });
    expect(outcome).toMatchObject({ kind: "fetched" });
    expect(fs.readFileSync(harness.path(data)).equals(data)).toBe(true);
  });

  it("for ever no such range: an end after the last attempt", async () => {
    const server = await start((_, response, count) => {
      if (count === 1) cutAfter(response, data, 1000);
      else response.writeHead(416).end();
    });
    expect(await reasonOf(server.url)).toContain("416");
    expect(server.requests.length).toBeLessThan(5);
  });

  it("for ever other bytes for the rest: rejected, not asked for ever", async () => {
    const server = await start((request, response) => {
      if (request.headers.range === undefined) response.end("wrong");
      else serve(request, response, randomBytes(data.length));
    });
    fs.writeFileSync(`${harness.folder}/store/sources/partial/${requestFor(data, []).sha256}.free.1-1-1`, "left");
    expect(await reasonOf(server.url)).toContain("expected sha256");
    expect(server.requests).toHaveLength(2);
  });
});

describe("sizes", () => {
  it("an announced size over the limit is refused before the body is read", async () => {
    const server = await start((_, response) => {
      response.writeHead(200, { "content-length": String(2 ** 45) }).write("x");
    });
    expect(await reasonOf(server.url)).toContain(`announces ${String(2 ** 45)} bytes`);
  });

  it("an endless body ends at the limit, and nothing of it stays", async () => {
    let sent = 0;
    const server = await start((_, response) => {
      const piece = Buffer.alloc(64 << 10);
      const more = (): void => {
        sent += piece.length;
        if (!response.destroyed && response.write(piece)) setImmediate(more);
      };
      response.on("drain", more);
      more();
    });
    expect(await reasonOf(server.url, { sizeLimit: 1 << 20 })).toContain("more and more");
    expect(sent).toBeLessThan(64 << 20);
    expect(harness.partials()).toEqual([]);
  });

  it("a body longer or shorter than announced is no file", async () => {
    const server = await start((_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.socket?.end(Buffer.from("only this"));
    });
    expect(await reasonOf(server.url)).not.toBe("");
  });

  it("headers without end are refused", async () => {
    const server = await start((_, response) => {
      response.writeHead(200, { "x-large": "a".repeat(100_000) }).end(data);
    });
    expect(await reasonOf(server.url)).toMatch(/header/i);
  });
});

describe("redirects", () => {
  it("in a circle end", async () => {
    const server = await start((request, response) => {
      response.writeHead(302, { location: request.url === "/a" ? "/b" : "/a" }).end();
    });
    expect(await reasonOf(`${server.url}/a`)).toBe("more than 10 redirects");
    expect(server.requests).toHaveLength(11);
  });

  it.each([
    ["file:///etc/passwd", /neither http: nor https:/],
    ["data:text/plain,x", /neither http: nor https:/],
    ["http://user:secret@127.0.0.1/", /carries a password/],
    ["http://[", /no address/],
  ])("to %s are refused", async (location, reason) => {
    const server = await start((_, response) => response.writeHead(301, { location }).end());
    const found = await reasonOf(server.url);
    expect(found).toMatch(reason);
    expect(found).not.toContain("secret");
    expect(server.requests).toHaveLength(1);
  });

  it("without an address are refused", async () => {
    const server = await start((_, response) => response.writeHead(302).end());
    expect(await reasonOf(server.url)).toContain("no address");
  });

  it("from https down to http are refused", async () => {
    const asked: string[] = [];
    const http: Http = {
      get: async (url) => {
        asked.push(url);
        const headers = { location: "http://mirror.example/file" };
        return { status: 302, headers, body: (async function* () {})(), destroy: () => undefined };
      },
      close: async () => undefined,
    };
    const lying = makeHarness({ http });
    const outcome = await lying.fetchOne(requestFor(data, ["https://mirror.example/file"]));
    await lying.close();
    if (outcome.kind !== "failed") throw new Error("expected a failure");
    expect(outcome.failures[0]?.reason).toContain("from https down to http");
    expect(asked).toEqual(["https://mirror.example/file"]);
  });
});

it("a password in a mirror is not sent, nor shown", async () => {
  const server = await start((request, response) => serve(request, response, data));
  const url = server.url.replace("//", "//user:secret@");
  const outcome = await harness.fetchOne(requestFor(data, [url]));
  expect(JSON.stringify([outcome, harness.events].map((value) => JSON.stringify(value)))).toContain("password");
  if (outcome.kind !== "failed") throw new Error("expected a failure");
  expect(outcome.failures[0]?.mirror).not.toContain("secret");
  expect(outcome.error.message).not.toContain("secret");
  expect(server.requests).toHaveLength(0);
});

it("a content coding is not undone: the hash is of what was sent", async () => {
  const server = await start((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(data));
  expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
});
