/** The list of Debian packages names every program that the code, or a test, starts by name. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import packages from "../../src/app/machine-packages.json" with { type: "json" };
import { repository } from "./source-modules.js";

interface Entry {
  readonly package: string;
  readonly programs: readonly string[];
  readonly reason: string;
}

const run: readonly Entry[] = packages.run;
const test: readonly Entry[] = packages.test;

/** From Debian's essential packages, or there wherever npm is; apt is looked for before it is used. */
const everywhere =
  "apt-cache apt-get bash cat chmod chown cp du false gzip ipcmk ipcrm mkdir mkfifo node npm rm sh touch true useradd usermod".split(
    " ",
  );

/** A program by its literal name, as the first argument of whatever starts it. */
const starts = /(?:execFileSync|spawnSync|execFile|spawn|processes\.run|runTool\([\w.]+,)[(\s]*"([a-z][\w.-]*)"/g;

function started(folder: string, isWanted: (path: string) => boolean): readonly string[] {
  const paths = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" });
  return paths
    .filter((path) => path.endsWith(".ts") && isWanted(path))
    .flatMap((path) => [...readFileSync(join(repository, folder, path), "utf8").matchAll(starts)])
    .map(([, program = ""]) => program);
}

function missingFrom(listed: readonly Entry[], programs: readonly string[]): readonly string[] {
  const known = new Set([...everywhere, ...listed.flatMap((entry) => entry.programs)]);
  return [...new Set(programs)].filter((program) => !known.has(program));
}

describe("src/app/machine-packages.json", () => {
  it("lists what the program starts", () => {
    const programs = started("src", (path) => !path.endsWith(".test.ts"));
    expect(programs).toContain("umount");
    expect(missingFrom(run, programs)).toEqual([]);
  });

  it("lists what the tests start", () => {
    const programs = [...started("src", (path) => path.endsWith(".test.ts")), ...started("test", () => true)];
    expect(programs).toContain("python3");
    expect(missingFrom([...run, ...test], programs)).toEqual([]);
  });

  it("gives each a reason, once in each list", () => {
    for (const list of [run, test]) {
      expect(list.filter((entry) => entry.reason.length < 10)).toEqual([]);
      expect(new Set(list.map((entry) => entry.package)).size).toBe(list.length);
    }
  });
});
