/** Workers that lie, hang and die. */
import { describe, expect, it } from "vitest";

import type { Channel } from "../../../base/index.js";
import { rejected } from "../../../base/index.js";
import { plainError, reviveError, type Job, type Reply, type Request } from "./job.js";
import { WorkerPool } from "./worker-pool.js";

class FakeWorker implements Channel {
  readonly requests: Request[] = [];
  terminated = false;
  private receive: (message: unknown) => void = () => undefined;
  private ended: (how: string) => void = () => undefined;

  send(message: unknown): void {
    this.requests.push(message as Request);
  }
  onMessage(receive: (message: unknown) => void): void {
    this.receive = receive;
  }
  onEnd(ended: (how: string) => void): void {
    this.ended = ended;
  }
  terminate(): void {
    this.terminated = true;
  }
  reply(message: Reply): void {
    this.receive(message);
  }
  die(how: string): void {
    this.ended(how);
  }
  /** Answers the last request. */
  finish(): void {
    this.reply({ id: this.requests.at(-1)?.id ?? 0, type: "result", result: { kind: "done" } });
  }
}

function poolOf(size: number): { readonly pool: WorkerPool; readonly workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  const start = (): Channel => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  };
  return { pool: new WorkerPool(start, size), workers };
}

const job: Job = { kind: "remove", paths: [] };

describe("a pool of workers", () => {
  it("starts no more than it may, and gives each one job at a time", async () => {
    const { pool, workers } = poolOf(2);
    const all = [1, 2, 3, 4, 5].map(() => pool.run(job));
    expect(workers.map(({ requests }) => requests.length)).toEqual([1, 1]);
    for (let round = 0; round < 3; round++) for (const worker of workers) worker.finish();
    expect(await Promise.all(all)).toEqual(Array(5).fill({ kind: "done" }));
    expect(workers).toHaveLength(2);
  });

  it("uses an idle worker again", async () => {
    const { pool, workers } = poolOf(4);
    for (let round = 0; round < 3; round++) {
      const result = pool.run(job);
      workers[0]?.finish();
      await result;
    }
    expect(workers).toHaveLength(1);
  });

  it("passes on output, and errors with their kind and place", async () => {
    const { pool, workers } = poolOf(1);
    const said: string[] = [];
    const result = pool.run(job, (chunk) => said.push(chunk.toString("latin1")));
    workers[0]?.reply({ id: 1, type: "output", data: "\xff!" });
    const error = plainError(rejected({ code: "x", message: "m", subject: "s", hint: "h" }));
    workers[0]?.reply({ id: 1, type: "error", error });
    await expect(result).rejects.toMatchObject({ kind: "rejected", code: "x", message: "m", subject: "s", hint: "h" });
    expect(said).toEqual(["\xff!"]);
  });

  it("keeps a defect a defect", () => {
    const revived = reviveError(plainError(new TypeError("oops")));
    expect(revived).not.toHaveProperty("kind");
    expect(revived.stack).toContain("worker-pool.test");
  });

  it("takes no answer to another request, and none twice", async () => {
    const { pool, workers } = poolOf(1);
    const result = pool.run(job);
    const [worker] = workers;
    worker?.reply({ id: 7, type: "result", result: { kind: "identity", identity: "wrong" } });
    worker?.finish();
    worker?.finish();
    expect(await result).toEqual({ kind: "done" });
    const next = pool.run(job);
    worker?.reply({ id: 1, type: "result", result: { kind: "identity", identity: "late" } });
    worker?.finish();
    expect(await next).toEqual({ kind: "done" });
  });

  it("says how a worker ended before its work was done, and starts another for the next job", async () => {
    const { pool, workers } = poolOf(1);
    const [first, second] = [pool.run(job), pool.run(job)];
    workers[0]?.die("killed by a test");
    await expect(first).rejects.toMatchObject({ kind: "unavailable", code: "worker-ended" });
    expect(workers).toHaveLength(2);
    workers[1]?.finish();
    expect(await second).toEqual({ kind: "done" });
  });

  it("forgets an idle worker that ended", async () => {
    const { pool, workers } = poolOf(1);
    const first = pool.run(job);
    workers[0]?.finish();
    await first;
    workers[0]?.die("idle");
    const second = pool.run(job);
    workers[1]?.finish();
    expect(await second).toEqual({ kind: "done" });
  });

  it("rejects what runs, waits and comes later when it is closed, and closes when all have ended", async () => {
    const { pool, workers } = poolOf(1);
    const asked = [pool.run(job), pool.run(job)];
    let closed = 0;
    const both = [pool.close(), pool.close()].map((one) => one.then(() => closed++));
    expect(
      (await Promise.allSettled(asked)).map(
        (one) => one.status === "rejected" && (one.reason as { code: string }).code,
      ),
    ).toEqual(["interrupted", "interrupted"]);
    await expect(pool.run(job)).rejects.toMatchObject({ code: "interrupted" });
    expect([workers.length, workers[0]?.terminated, closed]).toEqual([1, true, 0]);
    workers[0]?.die("as asked");
    await Promise.all(both);
    expect(closed).toBe(2);
  });

  it("that never started anything closes at once", async () => {
    await poolOf(3).pool.close();
  });
});
