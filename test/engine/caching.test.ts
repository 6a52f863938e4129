/** Rules EN-20 to EN-29: what is done again, and what is not. Real builds by the command. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Workspace, build, digestsOf, executed, type BuildPlace, type Finished } from "./program.js";
import { packageText, shellPackage, smallTree, smallTreeTargets, writeText, writeTree } from "./small-tree.js";

let workspace: Workspace;
let place: BuildPlace;
let first: Finished;

beforeAll(async () => {
  workspace = new Workspace("caching");
  place = newPlace();
  first = await build(workspace, place);
});

afterAll(() => workspace.remove());

function newPlace(text = smallTree): BuildPlace {
  const tree = writeTree(workspace.fresh("tree"), text);
  return { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
}

/** Changes one file for one build, and puts it back. */
async function withText(
  path: string,
  change: (text: string) => string,
  words: readonly string[] = [],
): Promise<Finished> {
  const full = join(place.tree, path);
  const before = fs.readFileSync(full, "utf8");
  const after = change(before);
  expect(after, "a change").not.toBe(before);
  fs.writeFileSync(full, after);
  try {
    return await build(workspace, place, words);
  } finally {
    fs.writeFileSync(full, before);
  }
}

const replacing = (from: string, to: string) => (text: string) => text.replace(from, to);
const states = (finished: Finished) => Object.fromEntries(finished.targets.map(({ id, state }) => [id, state]));
const stepStates = (finished: Finished) =>
  new Set(finished.targets.flatMap(({ steps }) => steps.map(({ state }) => state)));
const oneFile = "packages/core/one/Containerfile";
const allCached = Object.fromEntries(smallTreeTargets.map((id) => [id, "cached"]));

describe("a build", () => {
  it("does everything once and says so (EN-26)", () => {
    expect(Object.keys(digestsOf(first)).sort()).toEqual(smallTreeTargets);
    expect(new Set(Object.values(states(first)))).toEqual(new Set(["built"]));
    expect(stepStates(first)).toEqual(new Set(["executed"]));
  });

  it("with nothing to do is cached, opens no engine and starts no process (EN-20)", async () => {
    // A program folder without the workers' module: nothing that needs an engine could work.
    const worker = join(workspace.folder, "dist/worker.js");
    fs.renameSync(worker, `${worker}.away`);
    const again = await build(workspace, place).finally(() => fs.renameSync(`${worker}.away`, worker));
    expect(states(again)).toEqual(allCached);
    expect(again.targets.flatMap(({ steps }) => steps)).toEqual([]);
    expect(digestsOf(again)).toEqual(digestsOf(first));
  });

  it("rebuilds nothing for a comment, between continued lines neither, nor for blank lines (EN-21)", async () => {
    for (const change of [
      replacing("# a comment\n", "# another comment\n\n\n"),
      replacing("    # between continued lines\n", "    # other words between continued lines\n"),
      replacing("# a comment\n", ""),
    ]) {
      const again = await withText(oneFile, change);
      expect(executed(again)).toEqual([]);
      expect(states(again)).toEqual(allCached);
      expect(digestsOf(again)).toEqual(digestsOf(first));
    }
  });

  it("rebuilds for a comment in a heredoc's body: it is content (EN-21)", async () => {
    const again = await withText(oneFile, replacing("body is content", "body is what the shell reads"));
    expect(executed(again)).toContain("core-one:4");
    // The result is the same files: nobody who stands on it does anything.
    expect(digestsOf(again)["core-one"]).toBe(digestsOf(first)["core-one"]);
    expect(states(again)).toMatchObject({ "core-shell": "cached", "core-two": "cached", "user-three": "cached" });
  });

  it("rebuilds dependents only where the digest of a dependency changed (EN-22)", async () => {
    const same = await withText(oneFile, replacing("sleep 0.1\nEOF", "sleep 0.2\nEOF"));
    expect(executed(same).filter((step) => !step.startsWith("core-one:"))).toEqual([]);
    const other = await withText(oneFile, replacing("ln /out/share/1 /out/share/hard", "true"));
    expect(executed(other)).toContain("core-one:11");
    expect(executed(other)).toContain("core-two:2");
    expect(digestsOf(other)["core-two"]).toBeDefined();
    expect(digestsOf(await build(workspace, place))).toEqual(digestsOf(first));
  });

  it("rebuilds what a changed context file reaches, and nothing else (EN-23)", async () => {
    const used = await withText("packages/core/one/data.txt", () => "other data\n");
    expect(executed(used)).toEqual(expect.arrayContaining(["core-one:2", "core-one:4", "core-two:2", "core-two:4"]));
    expect(executed(used).filter((step) => step.startsWith("core-shell"))).toEqual([]);
    await build(workspace, place);
    const unused = await withText("packages/core/one/unused.txt", () => "still nobody\n");
    expect(executed(unused)).toEqual([]);
  });

  it("rebuilds nothing for files that were only touched, and does for modes (EN-23)", async () => {
    await build(workspace, place);
    const data = join(place.tree, "packages/core/one/data.txt");
    fs.utimesSync(data, 1_700_000_000, 1_700_000_000);
    expect(states(await build(workspace, place))).toEqual(allCached);
    fs.chmodSync(data, 0o600);
    const other = await build(workspace, place);
    expect(executed(other)).toContain("core-one:2");
    fs.chmodSync(data, 0o644);
  });

  it("sees the times that an image keeps, hard links and named pipes of a context (EN-23)", async () => {
    const text = { ...shellPackage, ...packageText("core", "files", "FROM scratch\nCOPY files/ /\n") };
    const own = newPlace({ ...text, "packages/core/files/files/a": "a", "packages/core/files/files/b": "a" });
    const folder = join(own.tree, "packages/core/files/files");
    const digests = [digestsOf(await build(workspace, own, ["files"]))["core-files"]];
    for (const change of [
      () => fs.utimesSync(join(folder, "a"), 0, 0),
      () => {
        fs.rmSync(join(folder, "b"));
        fs.linkSync(join(folder, "a"), join(folder, "b"));
      },
      () => fs.writeFileSync(Buffer.from(`${folder}/\xff`, "latin1"), "not UTF-8"),
    ]) {
      change();
      digests.push(digestsOf(await build(workspace, own, ["files"]))["core-files"]);
    }
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("does every step again without the cache, with the same result (EN-25)", async () => {
    const again = await build(workspace, place, ["--no-cache"]);
    expect(stepStates(again)).toEqual(new Set(["executed"]));
    expect(digestsOf(again)).toEqual(digestsOf(first));
    const before = new Map(
      first.targets.flatMap(({ id, steps }) => steps.map((step) => [`${id}:${String(step.line)}`, step])),
    );
    for (const { id, steps } of again.targets)
      for (const step of steps)
        expect(step.executedAt).toBeGreaterThan(before.get(`${id}:${String(step.line)}`)?.executedAt ?? 0);
  });

  it("says of a reused step when it was executed (EN-26)", async () => {
    const now = Date.now();
    const fresh = { ...place, output: join(workspace.fresh("out"), "out") };
    const again = await build(workspace, fresh);
    expect(stepStates(again)).toEqual(new Set(["reused"]));
    expect(Math.max(...again.targets.flatMap(({ steps }) => steps.map((step) => step.executedAt)))).toBeLessThan(now);
    expect(digestsOf(again)).toEqual(digestsOf(first));
  });

  it("rebuilds where the policy on the network changed (EN-24)", async () => {
    const text = {
      ...shellPackage,
      ...packageText("core", "net", "FROM stagex/core-shell\nRUN ls /sys/class/net > /n\n"),
    };
    const own = newPlace({ ...text, "stagewright.toml": "" });
    const closed = await build(workspace, own);
    writeText(own.tree, { "stagewright.toml": '[network]\nallow = ["core-net"]\n' });
    const open = await build(workspace, own);
    expect(executed(open)).toEqual(["core-net:2"]);
    expect(JSON.stringify(open.report)).toContain('"network":"host"');
    expect(JSON.stringify(closed.report)).not.toContain('"network":"host"');
    writeText(own.tree, { "stagewright.toml": "" });
    expect(digestsOf(await build(workspace, own))).toEqual(digestsOf(closed));
  });

  it("follows version_from (EN-24)", async () => {
    const uses = 'version_from = "core-shell"\n';
    const file = "FROM stagex/core-shell\nARG VERSION\nRUN echo $VERSION > /version\n";
    const own = newPlace({ ...shellPackage, ...packageText("core", "follows", file, uses) });
    const before = await build(workspace, own);
    const toml = "packages/core/shell/package.toml";
    writeText(own.tree, { [toml]: fs.readFileSync(join(own.tree, toml), "utf8").replace("1.0", "2.0") });
    const after = await build(workspace, own);
    expect(executed(after)).toEqual(["core-follows:3"]);
    expect(digestsOf(after)["core-follows"]).not.toBe(digestsOf(before)["core-follows"]);
  });
});

describe("a step that two targets share", () => {
  const shared = (name: string) => `FROM stagex/core-shell AS build
RUN --network=none sleep 0.5; echo shared > /out; cat /proc/sys/kernel/random/uuid > /random
FROM scratch AS package-${name}
COPY --from=build /out /${name}
FROM scratch AS package-${name}-more
COPY --from=build /out /random /
`;

  it("runs once, at the same time or one after the other, without the cache too (EN-27)", async () => {
    const subpackages = 'subpackages = ["twins", "twins-more"]\n';
    const own = newPlace({ ...shellPackage, ...packageText("core", "twins", shared("twins"), subpackages) });
    const runs = (finished: Finished) =>
      finished.targets.flatMap(({ id, steps }) =>
        steps.filter(({ text }) => text.startsWith("RUN --net")).map((step) => [id, step.executedAt]),
      );
    for (const words of [[], ["--no-cache", "--jobs", "1"], ["--no-cache"]]) {
      const finished = await build(workspace, own, words);
      expect(new Set(runs(finished).map(([, at]) => at)).size, JSON.stringify(runs(finished))).toBe(1);
      expect(runs(finished), finished.stderr).toHaveLength(2);
    }
  });
});
