/** SO-20, SO-27: a store that others can write to gives only bytes that were hashed, from where they cannot write. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as posix from "node:path/posix";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { makeHarness, requestFor, serve, startServer, uid, type Harness, type TestServer } from "../sources/fixture.js";

const data = randomBytes(50_000);
const request = requestFor(data, []);
let harness: Harness;
let server: TestServer;

beforeEach(async () => {
  harness = makeHarness();
  server = await startServer((incoming, response) => serve(incoming, response, data));
});

afterEach(async () => {
  await server.close();
  await harness.close();
});

const named = (): string => `${harness.folder}/store/sources/sha256`;

describe("a file that another could have written", () => {
  it("is hashed and taken into a copy of our own, when the bytes are right", async () => {
    fs.writeFileSync(harness.path(data), data);
    fs.chmodSync(harness.path(data), 0o666);
    const before = fs.statSync(harness.path(data)).ino;
    expect(await harness.fetchOne(request)).toMatchObject({ state: "stored", path: harness.path(data) });
    const after = fs.statSync(harness.path(data));
    expect(after.ino).not.toBe(before);
    expect(after.mode & 0o7777).toBe(0o644);
  });

  it("is fetched again, when they are not", async () => {
    fs.writeFileSync(harness.path(data), randomBytes(data.length));
    fs.chmodSync(harness.path(data), 0o666);
    const outcome = await harness.fetchOne(requestFor(data, [server.url]));
    expect(outcome).toMatchObject({ state: "downloaded" });
    expect(fs.readFileSync(harness.path(data)).equals(data)).toBe(true);
  });

  it("is a symbolic link: never followed", async () => {
    fs.writeFileSync(`${harness.folder}/elsewhere`, data);
    fs.symlinkSync(`${harness.folder}/elsewhere`, harness.path(data));
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ state: "downloaded" });
    expect(fs.lstatSync(harness.path(data)).isFile()).toBe(true);
  });

  it("stands in a folder that others may write to: used from a private copy, also right after a download", async () => {
    fs.chmodSync(named(), 0o777);
    const outcome = await harness.fetchOne(requestFor(data, [server.url]));
    if (outcome.kind !== "fetched") throw new Error("expected a file");
    expect(outcome.path.startsWith(`${harness.folder}/store/sources/temporary/`)).toBe(true);
    expect(fs.statSync(posix.dirname(outcome.path)).mode & 0o077).toBe(0);
    fs.writeFileSync(harness.path(data), "changed by another");
    expect(fs.readFileSync(outcome.path).equals(data)).toBe(true);
    const again = await harness.fetchOne(requestFor(data, [server.url]));
    expect(again).toMatchObject({ state: "downloaded" });
  });

  it.skipIf(uid !== 0)("belongs to another user: hashed and copied", async () => {
    fs.writeFileSync(harness.path(data), randomBytes(data.length));
    fs.chownSync(harness.path(data), 12345, 12345);
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ state: "downloaded" });
    expect(fs.statSync(harness.path(data)).uid).toBe(0);
  });
});

describe("a store that cannot be kept from others", () => {
  it("gives no folder for spools", () => {
    fs.chmodSync(`${harness.folder}/store`, 0o777);
    expect(() => harness.store.temporaryFolder()).toThrow(expect.objectContaining({ code: "store-not-private" }));
  });

  it("resumes no partial file", async () => {
    fs.chmodSync(`${harness.folder}/store/sources/partial`, 0o777);
    fs.symlinkSync("/etc/hostname", `${harness.folder}/store/sources/partial/${request.sha256}.999999999-1.1`);
    expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
    expect(server.requests[0]?.headers.range).toBeUndefined();
  });
});

it("a partial file that is a link or a folder is not read", async () => {
  const partial = `${harness.folder}/store/sources/partial/${request.sha256}`;
  fs.symlinkSync("/etc/hostname", `${partial}.999999999-1.1`);
  expect(await harness.fetchOne(requestFor(data, [server.url]))).toMatchObject({ kind: "fetched" });
  expect(server.requests[0]?.headers.range).toBeUndefined();
  expect(fs.existsSync("/etc/hostname")).toBe(true);
});
