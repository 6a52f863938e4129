import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";

import type { Clock, Http } from "../../src/base/index.js";
import { undiciHttp } from "../../src/host/http.js";
import { nodeClock, nodeFileSystem, nodeProcesses } from "../../src/host/index.js";
import {
  fetchSources,
  openSourceStore,
  type FetchEffects,
  type FetchEvent,
  type FetchSettings,
  type SourceOutcome,
  type SourceRequest,
  type SourceStore,
} from "../../src/sources/index.js";
import { parseMirror } from "../../src/tree/index.js";

export const uid = process.getuid?.() ?? 0;

export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

export function temporaryFolder(): string {
  return fs.mkdtempSync(`${fs.realpathSync(tmpdir())}/stagewright-sources-`);
}

export function requestFor(
  data: Uint8Array | string,
  mirrors: readonly string[],
  fileName = "file.tar",
): SourceRequest {
  return {
    package: "packages/core/thing",
    name: "thing",
    sha256: sha256(data),
    fileName,
    mirrors: mirrors.map((raw) => {
      const mirror = parseMirror(raw);
      if (mirror === undefined) throw new Error(`no mirror: ${raw}`);
      return mirror;
    }),
  };
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** `GET /path`, or `CONNECT host:port`, in the order of arrival. */
  readonly requests: { readonly line: string; readonly headers: IncomingMessage["headers"] }[];
  readonly server: Server;
  close(): Promise<void>;
}

export async function startServer(
  handler: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<TestServer> {
  const requests: TestServer["requests"] = [];
  const server = createServer((request, response) => {
    requests.push({ line: `${request.method ?? ""} ${request.url ?? ""}`, headers: request.headers });
    response.on("error", () => undefined);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    requests,
    server,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with `data`, and with the rest of it where a Range asks for that. */
export function serve(request: IncomingMessage, response: ServerResponse, data: Buffer): void {
  const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (request.headers.range === undefined) {
    response.writeHead(200, { "content-length": data.length, etag: '"v1"' }).end(data);
  } else if (from >= data.length) {
    response.writeHead(416, { "content-range": `bytes */${String(data.length)}` }).end();
  } else {
    const range = `bytes ${String(from)}-${String(data.length - 1)}/${String(data.length)}`;
    response
      .writeHead(206, { "content-length": data.length - from, "content-range": range, etag: '"v1"' })
      .end(data.subarray(from));
  }
}

/** Announces all of `data`, sends some and cuts the connection. */
export function cutAfter(response: ServerResponse, data: Buffer, size: number, from = 0): void {
  if (from === 0) response.writeHead(200, { "content-length": data.length, etag: '"v1"' });
  else {
    const range = `bytes ${String(from)}-${String(data.length - 1)}/${String(data.length)}`;
    response.writeHead(206, { "content-length": data.length - from, "content-range": range, etag: '"v1"' });
  }
  response.write(data.subarray(from, from + size), () => setTimeout(() => response.destroy(), 20));
}

export interface Harness {
  readonly folder: string;
  readonly store: SourceStore;
  readonly effects: FetchEffects;
  readonly events: FetchEvent[];
  /** Pauses between attempts, in milliseconds; they are not waited for. */
  readonly pauses: number[];
  fetch(requests: readonly SourceRequest[], settings?: Partial<FetchSettings>): Promise<readonly SourceOutcome[]>;
  fetchOne(request: SourceRequest, settings?: Partial<FetchSettings>): Promise<SourceOutcome>;
  /** Path of a hash in the store. */
  path(data: Uint8Array | string): string;
  partials(): string[];
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly http?: Http;
  readonly folder?: string;
}

export function makeHarness(options: HarnessOptions = {}): Harness {
  const folder = options.folder ?? temporaryFolder();
  const pauses: number[] = [];
  const clock: Clock = {
    ...nodeClock,
    sleep: async (milliseconds, abort) => {
      const isPause = milliseconds > 0 && milliseconds < 100_000 && milliseconds !== shortWhole;
      if (isPause) pauses.push(milliseconds);
      await nodeClock.sleep(isPause ? 1 : milliseconds, abort);
    },
  };
  const environment = options.environment ?? {};
  const effects: FetchEffects = {
    fileSystem: nodeFileSystem,
    processes: nodeProcesses("/usr/bin:/bin:/usr/sbin:/sbin"),
    clock,
    http: options.http ?? undiciHttp(environment),
  };
  const store = openSourceStore(effects, { folder: `${folder}/store`, uid });
  const events: FetchEvent[] = [];
  const fetch = async (
    requests: readonly SourceRequest[],
    settings: Partial<FetchSettings> = {},
  ): Promise<readonly SourceOutcome[]> =>
    await fetchSources(
      effects,
      {
        store,
        distfiles: [],
        aptSuites: [],
        environment,
        timeOuts: { connect: 2000, idle: 2000, whole: 3_600_000 },
        retry: { attempts: 3, firstDelay: 500, longestDelay: 30_000 },
        onProgress: (event) => events.push(event),
        ...settings,
      },
      requests,
    );
  return {
    folder,
    store,
    effects,
    events,
    pauses,
    fetch,
    fetchOne: async (request, settings) => {
      const [outcome] = await fetch([request], settings);
      if (outcome === undefined) throw new Error("no outcome");
      return outcome;
    },
    path: (data) => `${folder}/store/sources/sha256/${sha256(data)}`,
    partials: () => fs.readdirSync(`${folder}/store/sources/partial`),
    close: async () => {
      store.close();
      await effects.http.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A whole time-out that the harness's clock really waits for. */
export const shortWhole = 777;
