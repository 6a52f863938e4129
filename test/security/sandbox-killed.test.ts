/**
 * However a build ends, nothing of it stays on the machine: no process, no mount, nothing that hinders the next build.
 * Rules SU-70 to SU-74 of docs/spec/surroundings.md.
 */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { builders, finished, SandboxTree } from "../surroundings/sandbox-tree.js";

/** Processes of the machine whose command line holds a text, with all of their parents' and children's name spaces. */
function processesWith(text: string): string[] {
  const found: string[] = [];
  for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    try {
      const line = fs.readFileSync(`/proc/${id}/cmdline`, "latin1").replaceAll("\0", " ");
      if (line.includes(text)) found.push(`${id} ${line}`);
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

/** Mounts of every name space that is still in use. */
function mountsWith(text: string): string[] {
  const found: string[] = [];
  for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      found.push(...fs.readFileSync(`/proc/${id}/mounts`, "latin1").split("\n"));
    } catch {
      // it ended while we looked
    }
  }
  return found.filter((line) => line.includes(text));
}

async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(20)) if (condition()) return true;
  return condition();
}

let counter = 0;

/** A word that no other process has in its command line. */
function marker(): string {
  return `${String(process.pid)}${String(++counter)}00.5`;
}

/** What the machine has to be rid of. */
function leftovers(tree: SandboxTree, word: string): string[] {
  return [...processesWith(word), ...processesWith(tree.folder), ...mountsWith(tree.folder)];
}

const sleepers = (word: string): string => `
busybox sleep ${word} &
busybox setsid sleep ${word} &
(busybox setsid sh -c 'trap "" TERM INT HUP; sleep ${word}; sleep ${word}' &)
trap "" TERM INT HUP
echo running
while :; do sleep ${word}; done
`;

for (const user of builders()) {
  describe(`a build by ${user.uid === 0 ? "root" : "a user without privileges"}`, () => {
    let tree: SandboxTree | undefined;

    afterEach(() => {
      tree?.remove();
      tree = undefined;
    });

    /** A build whose RUN sleeps, with children that ignore signals. */
    async function start(word: string): Promise<{ child: ChildProcess; tree: SandboxTree }> {
      tree = new SandboxTree(user);
      const child = tree.start(tree.scriptCase(sleepers(word)));
      const running = await until(() => processesWith(`sleep ${word}`).length >= 4, 20_000);
      if (!running) throw new Error(`the RUN did not start: ${JSON.stringify(await finished(child))}`);
      return { child, tree };
    }

    it("SU-70 leaves nothing when it is killed", async () => {
      const word = marker();
      const { child, tree: built } = await start(word);
      child.kill("SIGKILL");
      expect(await until(() => leftovers(built, word).length === 0, 2000), leftovers(built, word).join("\n")).toBe(
        true,
      );
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      it(`SU-71 ends within two seconds of ${signal} and leaves nothing`, async () => {
        const word = marker();
        const { child, tree: built } = await start(word);
        const ended = finished(child);
        const begun = Date.now();
        child.kill(signal);
        const { status } = await ended;
        expect(Date.now() - begun).toBeLessThan(2000);
        expect(status).not.toBe(0);
        expect(leftovers(built, word)).toEqual([]);
      });
    }

    it("SU-72 leaves nothing when its sandbox process is killed, and says so", async () => {
      const word = marker();
      const { child, tree: built } = await start(word);
      const ended = finished(child);
      const [worker] = processesWith("worker.js").filter((line) => line.includes("unshare") || line.includes("node"));
      const ids = processesWith("dist/worker.js").map((line) => Number(line.split(" ")[0]));
      expect(worker).toBeDefined();
      for (const id of ids.filter((candidate) => isBelow(candidate, child.pid ?? 0))) killQuietly(id);
      const { status, stderr } = await ended;
      expect(status).toBe(3);
      expect(stderr).toContain("ended before its work was done");
      expect(await until(() => leftovers(built, word).length === 0, 2000), leftovers(built, word).join("\n")).toBe(
        true,
      );
    });

    it("SU-73 can be done again on the same store after it was killed", async () => {
      const word = marker();
      const { child, tree: built } = await start(word);
      const ended = finished(child);
      child.kill("SIGKILL");
      await ended;
      expect(await built.run("echo again")).toBe("again");
    });

    it("SU-74 ends the processes that a RUN leaves behind, and does not wait for them", async () => {
      const word = marker();
      tree = new SandboxTree(user);
      const script = `busybox setsid sleep ${word} & (busybox setsid sh -c 'sleep ${word}' &) ; sleep ${word} </dev/null & echo over`;
      expect(await tree.run(script)).toBe("over");
      expect(leftovers(tree, word)).toEqual([]);
    });
  });
}

function isBelow(id: number, ancestor: number): boolean {
  for (let at = id; at > 1; at = parentOf(at)) if (at === ancestor) return true;
  return false;
}

function parentOf(id: number): number {
  try {
    return Number(/\) \S (\d+)/.exec(fs.readFileSync(`/proc/${String(id)}/stat`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0; // it ended while we looked
  }
}

function killQuietly(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // it ended with the one before
  }
}
