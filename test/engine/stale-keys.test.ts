/** Nothing is kept under a key that is not true: files that change while a build runs, and what a key must hold. */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Workspace, build, digestsOf, startBuild, startCommand, type BuildPlace, type Finished } from "./program.js";
import { packageText, shellPackage, writeTree, type TreeText } from "./small-tree.js";

let workspace: Workspace;

beforeAll(() => {
  workspace = new Workspace("stale-keys");
});
afterAll(() => workspace.remove());

function placeOf(text: TreeText): BuildPlace {
  const tree = writeTree(workspace.fresh("tree"), text);
  return { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
}

/** The same tree with nothing cached. */
const anew = (place: BuildPlace): Promise<Finished> =>
  build(workspace, { ...place, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") });

const sleeper = `FROM stagex/core-shell AS slow
RUN --network=none sleep 3
`;

/** Starts a build of one sandbox at a time, and changes a file as soon as the sleeping RUN runs. */
async function changeWhileSleeping(place: BuildPlace, change: () => void): Promise<Finished> {
  const running = startBuild(workspace, place, ["--jobs", "1"]);
  const log = join(place.store, "logs/user-waits.log");
  for (let tries = 0; tries < 200; tries++) {
    if (fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("sleep 3")) break;
    await delay(50);
  }
  await delay(700);
  change();
  return await running.done;
}

describe("a file that changes while a step waits for its turn", () => {
  it("is no result under the key of what it was: a bind mount", async () => {
    const mounted = `${sleeper}FROM stagex/core-shell AS reader
RUN --network=none --mount=type=bind,source=word,target=/word cat /word > /read
FROM scratch AS package
COPY --from=slow /bin/busybox /
COPY --from=reader /read /
`;
    const place = placeOf({ ...shellPackage, ...packageText("user", "waits", mounted) });
    const word = join(place.tree, "packages/user/waits/word");
    fs.writeFileSync(word, "before\n");
    const first = await changeWhileSleeping(place, () => {
      fs.writeFileSync(word, "during\n");
    });
    expect(first.status).toBe(1);
    expect(first.targets.find(({ id }) => id === "user-waits")?.error?.code).toMatch(/^(content|context)-changed$/);
    fs.writeFileSync(word, "before\n");
    expect(digestsOf(await build(workspace, place))).toEqual(digestsOf(await anew(place)));
  });

  it("fails the build though it is put back: what was copied in between is not what the key says", async () => {
    const copied = `${sleeper}FROM slow AS package
COPY word /
`;
    const place = placeOf({ ...shellPackage, ...packageText("user", "waits", copied) });
    const word = join(place.tree, "packages/user/waits/word");
    fs.writeFileSync(word, "before\n");
    const first = await changeWhileSleeping(place, () => {
      fs.writeFileSync(word, "during\n");
      fs.writeFileSync(word, "before\n");
    });
    expect(first.status).toBe(1);
    expect(first.targets.find(({ id }) => id === "user-waits")?.error?.code).toBe("context-changed");
    expect(digestsOf(await build(workspace, place))).toEqual(digestsOf(await anew(place)));
  });
});

describe("what keys hold", () => {
  it("has the times that a layer keeps, for ADD", async () => {
    const text = { ...packageText("user", "timed", "FROM scratch AS package\nADD word /\n") };
    const place = placeOf({ ...text, "packages/user/timed/word": "word\n" });
    const word = join(place.tree, "packages/user/timed/word");
    fs.utimesSync(word, 0, 0);
    const before = digestsOf(await build(workspace, place));
    fs.utimesSync(word, 1_000_000, 1_000_000);
    const after = digestsOf(await build(workspace, place));
    expect(after).not.toEqual(before);
    expect(after).toEqual(digestsOf(await anew(place)));
  });

  it("has the platform of a RUN", async () => {
    const place = placeOf({ ...shellPackage });
    expect((await build(workspace, place)).status).toBe(0);
    const other = await build(workspace, place, ["--platform", "linux/386"]);
    expect(other.targets[0]?.steps.find(({ text }) => text.startsWith("RUN"))?.state).toBe("executed");
  });
});

describe("a layout that lost something", () => {
  it("is written again", async () => {
    const place = placeOf({ ...shellPackage });
    const before = digestsOf(await build(workspace, place));
    fs.rmSync(join(place.output, "core-shell/blobs"), { recursive: true });
    expect(digestsOf(await build(workspace, place))).toEqual(before);
    const folders = ["--tree", place.tree, "--store", place.store, "--output", place.output];
    expect((await startCommand(workspace, ["digests", "--write", ...folders]).done).status).toBe(0);
    expect((await startCommand(workspace, ["digests", "--verify", ...folders]).done).status).toBe(0);
    const blobs = join(place.output, "core-shell/blobs/sha256");
    const largest = fs.readdirSync(blobs).sort((a, b) => size(join(blobs, b)) - size(join(blobs, a)))[0] ?? "";
    fs.appendFileSync(join(blobs, largest), "x");
    expect((await startCommand(workspace, ["digests", "--verify", ...folders]).done).status).toBe(1);
  });
});

const size = (path: string): number => fs.statSync(path).size;
