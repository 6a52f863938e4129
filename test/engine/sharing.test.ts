/** Rules EN-40 to EN-44: several builds on one store, and the collection of garbage. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  Workspace,
  build,
  digestsOf,
  executed,
  startBuild,
  startCommand,
  until,
  type BuildPlace,
  type Finished,
} from "./program.js";
import { packageText, shellPackage, smallTree, writeText, writeTree, type TreeText } from "./small-tree.js";

let workspace: Workspace;
let digests: Readonly<Record<string, string>>;
let place: BuildPlace;

beforeAll(() => {
  workspace = new Workspace("sharing");
});
afterAll(() => workspace.remove());

function newPlace(text: TreeText = smallTree): BuildPlace {
  const tree = writeTree(workspace.fresh("tree"), text);
  return { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
}

function collect(store: string, words: readonly string[]): Promise<Finished> {
  return startCommand(workspace, ["gc", "--json", "--store", store, ...words]).done;
}

function sizeOf(folder: string): number {
  return Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]);
}

/** Makes all of the store look as if it was last used so many days ago. */
function age(store: string, days: number): void {
  const seconds = Math.floor(Date.now() / 1000) - days * 86_400;
  for (const name of fs.readdirSync(store, { recursive: true, encoding: "utf8" }))
    if (!name.startsWith("roots/")) fs.lutimesSync(join(store, name), seconds, seconds);
}

describe("two builds at once", () => {
  it("of one tree on one store into one folder both succeed with the same digests (EN-40)", async () => {
    place = newPlace();
    const both = await Promise.all([build(workspace, place), build(workspace, place)]);
    digests = digestsOf(both[0]);
    expect(digestsOf(both[1])).toEqual(digests);
    const third = await build(workspace, place);
    expect(digestsOf(third)).toEqual(digests);
    expect(executed(third)).toEqual([]);
  });

  it("of two trees on one store both succeed with the digests of a build alone (EN-40)", async () => {
    const first = newPlace();
    const second = { ...newPlace(), store: first.store };
    const both = await Promise.all([build(workspace, first), build(workspace, second)]);
    for (const finished of both) expect(digestsOf(finished)).toEqual(digests);
    expect(fs.readdirSync(join(first.store, "tmp"))).toEqual([]);
  });
});

describe("gc", () => {
  it("is refused while a build runs, and a build that starts meanwhile waits for it (EN-41)", async () => {
    const file = "FROM stagex/core-shell\nRUN --network=none echo begun; sleep 2\n";
    const own = newPlace({ ...shellPackage, ...packageText("core", "slow", file) });
    const running = startBuild(workspace, own);
    const log = join(own.store, "logs/core-slow.log");
    await until("the RUN", () => fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("begun"));
    const refused = await collect(own.store, ["--all"]);
    expect(refused.status, refused.stderr).toBe(3);
    expect(refused.stderr).toContain("1 other process(es) build on it now");
    expect((await running.done).status).toBe(0);
    const [collected, again] = await Promise.all([collect(own.store, ["--all"]), build(workspace, own)]);
    expect([0, 3]).toContain(collected.status);
    expect(again.status, again.stderr).toBe(0);
  });

  it("takes everything but sources with --all, and the next build gives the same digests (EN-42)", async () => {
    const before = sizeOf(place.store);
    const collected = await collect(place.store, ["--all"]);
    expect(collected.status, collected.stderr).toBe(0);
    expect(sizeOf(place.store)).toBeLessThan(before / 4);
    expect(digestsOf(await build(workspace, place))).toEqual(digests);
  });

  it("keeps with --days what was used, and takes what was not (EN-43)", async () => {
    const own = newPlace();
    expect(digestsOf(await build(workspace, own))).toEqual(digests);
    const data = join(own.tree, "packages/core/one/data.txt");
    fs.writeFileSync(data, `${"x".repeat(100_000)}\n`);
    await build(workspace, own);
    fs.writeFileSync(data, "data of one\n");
    age(own.store, 40);
    // Nothing is executed: what is used again gets its mark.
    const fresh = { ...own, output: join(workspace.fresh("out"), "out") };
    expect(executed(await build(workspace, fresh)).filter((step) => step !== "core-one:2")).toEqual([]);
    const tars = fs.readdirSync(join(own.store, "blobs")).length;
    const collected = await collect(own.store, ["--days", "30"]);
    expect(collected.report).toMatchObject({ removed: expect.any(Number) as number });
    expect(fs.readdirSync(join(own.store, "blobs")).length).toBeLessThan(tars);
    const again = await build(workspace, { ...own, output: join(workspace.fresh("out"), "out") });
    expect(executed(again)).toEqual([]);
    expect(digestsOf(again)).toEqual(digests);
  });

  it("keeps all that a tree stands on whose builds had nothing to do (EN-43)", async () => {
    const own = newPlace();
    await build(workspace, own);
    age(own.store, 40);
    expect((await build(workspace, own)).targets.map(({ state }) => state)).toEqual(Array(4).fill("cached"));
    expect((await collect(own.store, ["--days", "30"])).status).toBe(0);
    const again = await build(workspace, { ...own, output: join(workspace.fresh("out"), "out") });
    expect(executed(again)).toEqual([]);
    age(own.store, 40);
    await collect(own.store, ["--days", "30"]);
    expect(fs.readdirSync(join(own.store, "blobs"))).toEqual([]);
  });

  it("leaves a build able to stand on images whose layers went (EN-44)", async () => {
    const own = newPlace();
    await build(workspace, own);
    await collect(own.store, ["--all"]);
    // The state of the tree says what is built, as if only the layers had gone.
    writeText(own.tree, { "packages/core/one/unused.txt": "changed\n" });
    expect(digestsOf(await build(workspace, own))).toEqual(digests);
  });
});
