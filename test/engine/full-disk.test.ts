/** Rule EN-45: a full disk is a clear error, and what was finished is kept. Root only: it mounts small disks. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { Workspace, build, digestsOf, executed, type BuildPlace, type Finished } from "./program.js";
import { packageText, shellPackage, smallTree, writeTree, type TreeText } from "./small-tree.js";

const asRoot = process.getuid?.() === 0;
if (!asRoot) console.warn("SKIPPED: full disks are tested as root only");

let workspace: Workspace;
const mounts: string[] = [];

beforeAll(() => {
  workspace = new Workspace("full");
});
afterEach(() => {
  for (const mount of mounts.splice(0)) execFileSync("umount", ["--lazy", mount]);
});
afterAll(() => workspace.remove());

function smallDisk(kilobytes: number): string {
  const path = workspace.fresh("disk");
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${String(kilobytes)}k,mode=700`, "tmpfs", path]);
  mounts.push(path);
  return path;
}

function place(parts: Partial<BuildPlace>, text: TreeText = smallTree): BuildPlace {
  const tree = writeTree(workspace.fresh("tree"), text);
  return { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out"), ...parts };
}

const codes = (finished: Finished) =>
  finished.targets.flatMap(({ error }) => (error === undefined ? [] : [error.code]));

describe.skipIf(!asRoot)("a full disk", () => {
  it.each([600, 2600, 3600, 5200])(
    "of the store (%d kB free) ends the build with status 3; then it goes on",
    async (free) => {
      const store = smallDisk(40_000);
      const hog = join(store, "hog");
      fs.writeFileSync(hog, Buffer.alloc((40_000 - free) * 1024));
      const own = place({ store });
      const finished = await build(workspace, own);
      expect(finished.status, finished.stderr).toBe(3);
      const found = codes(finished).filter((code) => code !== "dependency-failed");
      // Where nothing could be written at all there is no report.
      if (finished.report !== undefined && finished.targets.length > 0)
        expect(new Set(found)).toEqual(new Set(["disk-full"]));
      expect(finished.stderr).toContain("no space is left on the disk of the store");
      expect(finished.stderr).toContain("stagewright gc");
      fs.rmSync(hog);
      const again = await build(workspace, own);
      expect(Object.keys(digestsOf(again))).toHaveLength(4);
    },
  );

  it("that a RUN fills is told from a command that fails", async () => {
    const file = "FROM stagex/core-shell\nRUN --network=none dd if=/dev/zero of=/zeros bs=1024 count=60000\n";
    const own = place({ store: smallDisk(30_000) }, { ...shellPackage, ...packageText("core", "fills", file) });
    const finished = await build(workspace, own);
    expect(finished.status, finished.stderr).toBe(3);
    expect(codes(finished)).toEqual(["disk-full"]);
    const shell = finished.targets.find(({ id }) => id === "core-shell");
    expect(shell?.digest).toMatch(/^sha256:/);
  });

  it("of the output ends the build with status 3; then it goes on without any step", async () => {
    const output = smallDisk(600);
    const own = place({ output: join(output, "out") });
    const finished = await build(workspace, own);
    expect(finished.status, finished.stderr).toBe(3);
    expect(codes(finished)).toContain("layout-unwritable");
    expect(finished.stderr).toContain("disk is full");
    execFileSync("mount", ["-o", "remount,size=40000k", output]);
    const again = await build(workspace, own);
    expect(Object.keys(digestsOf(again))).toHaveLength(4);
    expect(executed(again).filter((step) => step.startsWith("core-shell"))).toEqual([]);
  });
});
