import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";

import { undiciHttp } from "../host/http.js";
import { nodeClock, nodeFileSystem, nodeProcesses } from "../host/index.js";
import type { Package } from "../tree/index.js";
import { runFetch, type FetchOptions, type RunFetchEffects } from "./fetch-run.js";

let folder: string;
let effects: RunFetchEffects;
const tool = { name: "stagewright", version: "0" };

beforeEach(() => {
  folder = fs.mkdtempSync(`${tmpdir()}/fetch-run-`);
  effects = {
    fileSystem: nodeFileSystem,
    processes: nodeProcesses("/usr/bin:/bin"),
    clock: nodeClock,
    http: undiciHttp({}),
    environment: {},
    uid: process.getuid?.() ?? 0,
  };
});

afterEach(async () => {
  await effects.http.close();
  fs.rmSync(folder, { recursive: true });
});

function packageOf(name: string, sources: readonly (readonly [string, string, string])[]): Package {
  return {
    stage: "core",
    name,
    folder: `packages/core/${name}`,
    version: "1.2",
    versionFrom: undefined,
    description: undefined,
    license: undefined,
    website: undefined,
    subpackages: [],
    platforms: ["linux/amd64"],
    sources: sources.map(([source, hash, mirror]) => ({
      name: source,
      hash,
      file: undefined,
      format: undefined,
      version: undefined,
      gitSha: undefined,
      mirrors: [mirror],
    })),
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function options(packages: readonly Package[], rest: Partial<FetchOptions> = {}): FetchOptions {
  return {
    tool,
    packages: packages.map((one) => ({ package: one, version: one.version })),
    storeFolder: `${folder}/store`,
    aptSuites: [],
    ...rest,
  };
}

it("reports every source of every package once, sorted, and says what the worst failure was", async () => {
  fs.writeFileSync(`${folder}/a-1.2.tar`, "a");
  const b = packageOf("b", [["main", sha256("a"), `file:${folder}/a-{version}.tar`]]);
  const wrong = packageOf("a", [
    ["wrong", sha256("other"), `file:${folder}/a-{version}.tar`],
    ["missing", sha256("none"), `file:${folder}/missing`],
  ]);
  const good = await runFetch(options([b, b]), effects);
  expect(good).toEqual({
    tool,
    outcome: "done",
    sources: [
      {
        package: "packages/core/b",
        name: "main",
        sha256: sha256("a"),
        size: 1,
        mirror: `file:${folder}/a-1.2.tar`,
        state: "downloaded",
      },
    ],
  });
  const bad = await runFetch(options([b, wrong]), effects);
  expect(bad.outcome).toBe("rejected");
  expect(bad.sources.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "missing unavailable",
    "wrong rejected",
    "main stored",
  ]);
  expect(bad.reasons).toHaveLength(2);
  expect(JSON.stringify(bad)).toContain(sha256("a"));
});

it("counts a source that cannot be expanded as malformed, and fetches the others", async () => {
  fs.writeFileSync(`${folder}/a`, "a");
  const pkg = packageOf("a", [
    ["bad", sha256("x"), `file:${folder}/{format}`],
    ["good", sha256("a"), `file:${folder}/a`],
  ]);
  const report = await runFetch(options([pkg]), effects);
  expect(report.outcome).toBe("malformed");
  expect(report.sources.map(({ state }) => state)).toEqual(["malformed", "downloaded"]);
});

it("asks --distfiles, then STAGEWRIGHT_DISTFILES, and refuses one that is no folder", async () => {
  fs.mkdirSync(`${folder}/dist`);
  fs.writeFileSync(`${folder}/dist/file`, "from dist");
  const pkg = packageOf("a", [["s", sha256("from dist"), "file:/nowhere/file"]]);
  const environment = { STAGEWRIGHT_DISTFILES: `${folder}/dist` };
  const report = await runFetch(options([pkg]), { ...effects, environment });
  expect(report.sources[0]).toMatchObject({ state: "distfiles", mirror: `${folder}/dist/file` });
  await expect(runFetch(options([pkg], { distfiles: `${folder}/dist/file` }), effects)).rejects.toMatchObject({
    kind: "malformed",
    code: "no-distfiles",
  });
});
