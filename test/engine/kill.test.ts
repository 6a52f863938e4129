/** Rules EN-30 to EN-33: processes killed at any moment, and what the next one finds. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Workspace, build, digestsOf, mountsAt, processesAt, startBuild, until, type BuildPlace } from "./program.js";
import { writeTree } from "./small-tree.js";

const rounds = 16;
let workspace: Workspace;
let place: BuildPlace;
let digests: Readonly<Record<string, string>>;
/** Milliseconds that a build takes. */
let duration: number;

beforeAll(async () => {
  workspace = new Workspace("kill");
  const tree = writeTree(workspace.fresh("tree"));
  place = { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
  const begun = Date.now();
  digests = digestsOf(await build(workspace, place));
  duration = Date.now() - begun;
});

afterAll(() => workspace.remove());

/** The same numbers for the same seed, from 0 up to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

/** Node processes below a process: the engine's workers. */
function workersOf(pid: number): number[] {
  const children = fs
    .readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
        const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(parent) === pid ? [Number(name)] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
  return children.flatMap((child) => [child, ...workersOf(child)]);
}

async function expectNothingLeft(): Promise<void> {
  await until("the end of all processes", () => processesAt(workspace.folder).length === 0, 5000).catch(() => {
    expect(processesAt(workspace.folder)).toEqual([]);
  });
  expect(mountsAt(workspace.folder)).toEqual([]);
}

async function expectWholeStore(): Promise<void> {
  const again = await build(workspace, place);
  expect(digestsOf(again), again.stderr).toEqual(digests);
  expect(fs.readdirSync(join(place.store, "tmp")), "the temporary folder is swept").toEqual([]);
  expect(fs.readdirSync(join(place.store, "active")), "nobody is said to be there").toEqual([]);
}

describe("kill -9 of the program at any moment", () => {
  const random = randomNumbers(20_261_122);
  const moments = Array.from({ length: rounds }, (_, round) => ({ round, part: random(), cold: round % 3 === 0 }));

  it.each(moments)("round $round, at $part of a build, cold store: $cold", async ({ part, cold }) => {
    if (cold) {
      place = { ...place, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
    }
    const { child, done } = startBuild(workspace, place, ["--no-cache"]);
    await new Promise((resolve) => setTimeout(resolve, part * duration));
    child.kill("SIGKILL");
    await done;
    await expectNothingLeft();
    await expectWholeStore();
  });
});

describe("kill -9 of a worker only", () => {
  const random = randomNumbers(4);

  it.each([1, 2, 3])("ends the build with a clear error, or not at all (round %d)", async () => {
    const { child, done } = startBuild(workspace, place, ["--no-cache"]);
    const pid = child.pid ?? 0;
    await until("workers", () => workersOf(pid).length > 0 || child.exitCode !== null);
    await new Promise((resolve) => setTimeout(resolve, random() * duration * 0.4));
    const workers = workersOf(pid);
    const victim = workers[Math.floor(random() * workers.length)];
    if (victim !== undefined) process.kill(victim, "SIGKILL");
    const finished = await done;
    if (finished.status === 0) expect(digestsOf(finished)).toEqual(digests);
    else {
      expect(finished.status, finished.stderr).toBe(3);
      const errors = finished.targets.flatMap(({ error }) => (error === undefined ? [] : [error.code]));
      expect(["worker-ended", "sandbox-killed"]).toContain(errors[0]);
    }
    await expectNothingLeft();
    await expectWholeStore();
  });
});
