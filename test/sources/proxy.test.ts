/** SO-15: http_proxy, https_proxy and no_proxy, given as a value. */
import { connect, type Socket } from "node:net";
import { request as forward } from "node:http";
import { afterEach, describe, expect, it } from "vitest";

import { undiciHttp } from "../../src/host/http.js";
import { lazyHttp } from "../../src/host/index.js";
import { makeHarness, requestFor, serve, startServer, type Harness, type TestServer } from "./fixture.js";

const data = Buffer.from("through a proxy");
const servers: TestServer[] = [];
const harnesses: Harness[] = [];

afterEach(async () => {
  await Promise.all(harnesses.splice(0).map(async (harness) => await harness.close()));
  await Promise.all(servers.splice(0).map(async (server) => await server.close()));
});

async function startMirror(): Promise<TestServer> {
  const server = await startServer((request, response) => serve(request, response, data));
  servers.push(server);
  return server;
}

/** A proxy as a firewall has it: absolute-form requests, and CONNECT to port 443 only (which goes nowhere here). */
async function startProxy(): Promise<TestServer> {
  const proxy = await startServer((request, response) => {
    forward(request.url ?? "", { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    }).end();
  });
  proxy.server.on("connect", (request, socket: Socket) => {
    proxy.requests.push({ line: `CONNECT ${request.url ?? ""}`, headers: request.headers });
    if (request.url?.endsWith(":443") === true) socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    else socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  servers.push(proxy);
  return proxy;
}

function harnessWith(environment: Record<string, string>): Harness {
  const harness = makeHarness({ environment });
  harnesses.push(harness);
  return harness;
}

describe("proxies", () => {
  it("carry http as absolute-form requests", async () => {
    const [mirror, proxy] = [await startMirror(), await startProxy()];
    const outcome = await harnessWith({ http_proxy: proxy.url }).fetchOne(requestFor(data, [`${mirror.url}/a`]));
    expect(outcome).toMatchObject({ kind: "fetched" });
    expect(proxy.requests.map(({ line }) => line)).toEqual([`GET ${mirror.url}/a`]);
  });

  it("carry https through CONNECT, and only the one that https_proxy names", async () => {
    const [one, two] = [await startProxy(), await startProxy()];
    const harness = harnessWith({ http_proxy: one.url, https_proxy: `127.0.0.1:${String(two.port)}` });
    const settings = { retry: { attempts: 1, firstDelay: 1, longestDelay: 1 } };
    const outcome = await harness.fetchOne(requestFor(data, ["https://mirror.example/a"]), settings);
    expect(outcome).toMatchObject({ kind: "failed", error: { kind: "unavailable" } });
    expect(two.requests.map(({ line }) => line)).toEqual(["CONNECT mirror.example:443"]);
    expect(one.requests).toHaveLength(0);
  });

  it("are passed by for the hosts in no_proxy", async () => {
    const [mirror, proxy] = [await startMirror(), await startProxy()];
    const harness = harnessWith({ http_proxy: proxy.url, no_proxy: "mirror.example, 127.0.0.1" });
    expect(await harness.fetchOne(requestFor(data, [mirror.url]))).toMatchObject({ kind: "fetched" });
    expect(proxy.requests).toHaveLength(0);
  });

  it("do not come from HTTP_PROXY, nor from the environment of this process", async () => {
    const [mirror, proxy] = [await startMirror(), await startProxy()];
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = proxy.url;
    try {
      const harness = harnessWith({ HTTP_PROXY: proxy.url });
      expect(await harness.fetchOne(requestFor(data, [mirror.url]))).toMatchObject({ kind: "fetched" });
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
    }
    expect(proxy.requests).toHaveLength(0);
  });

  it("that are no http address are refused", () => {
    expect(() => undiciHttp({ https_proxy: "socks5://127.0.0.1:1080" })).toThrow(
      expect.objectContaining({ kind: "malformed", code: "bad-proxy", subject: "https_proxy" }),
    );
  });

  it("that are found bad only with the first request are wrong use, not a mirror in trouble", async () => {
    const http = { ...lazyHttp({ http_proxy: "socks5://127.0.0.1:1080" }), close: async () => undefined };
    const harness = makeHarness({ http });
    harnesses.push(harness);
    const outcome = await harness.fetchOne(requestFor(data, ["http://mirror.example/a", "http://mirror.example/b"]));
    expect(outcome).toMatchObject({ kind: "failed", error: { kind: "malformed", code: "bad-proxy" } });
    expect(harness.pauses).toEqual([]);
  });

  it("that cannot be reached make the mirror unavailable", async () => {
    const free = await new Promise<number>((resolve) => {
      const socket = connect(1, "127.0.0.1");
      socket.on("error", () => resolve(1));
    });
    const harness = harnessWith({ http_proxy: `http://127.0.0.1:${String(free)}` });
    const outcome = await harness.fetchOne(requestFor(data, ["http://mirror.example/a"]));
    expect(outcome).toMatchObject({ kind: "failed", error: { kind: "unavailable" } });
  });
});
