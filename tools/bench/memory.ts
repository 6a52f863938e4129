/** Memory of a process and all that it started, seen from /proc. */
import { readFileSync, readdirSync } from "node:fs";

const everyMilliseconds = 10;
const pageSize = 4096;

/** Adds up the resident memory of a process tree again and again. Pages that two processes share count twice. */
export class MemorySampler {
  /** The most that was seen, in bytes. */
  peak = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.timer = setInterval(() => {
      this.peak = Math.max(this.peak, residentBytes(this.pid));
    }, everyMilliseconds);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

function residentBytes(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${String(pid)}/statm`, "utf8").split(" ")[1] ?? 0);
    return childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), pages * pageSize);
  } catch {
    return 0; // it ended a moment ago
  }
}

function childrenOf(pid: number): readonly number[] {
  const tasks = `/proc/${String(pid)}/task`;
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, "utf8")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}
