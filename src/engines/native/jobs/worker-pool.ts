/** Threads and sandboxed processes that do one job each at a time. They start when they are first needed. */
import type { Channel } from "../../../base/index.js";
import { unavailable } from "../../../base/index.js";
import type { Job, JobResult, Reply, Request } from "./job.js";
import { reviveError } from "./job.js";

interface Waiting {
  readonly job: Job;
  readonly onOutput: (chunk: Buffer) => void;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (reason: unknown) => void;
}

export class WorkerPool {
  private readonly idle: PoolWorker[] = [];
  private readonly workers = new Set<PoolWorker>();
  private readonly queue: Waiting[] = [];
  private closed = false;
  private readonly onEmpty: (() => void)[] = [];

  constructor(
    private readonly start: () => Channel,
    private readonly size: number,
  ) {}

  run(job: Job, onOutput: (chunk: Buffer) => void = () => undefined): Promise<JobResult> {
    if (this.closed) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.queue.push({ job, onOutput, resolve, reject });
      this.pump();
    });
  }

  /** Ends all workers at once; jobs that run or wait are rejected as `interrupted`. Resolves when no worker is left. */
  async close(): Promise<void> {
    this.closed = true;
    for (const waiting of this.queue.splice(0)) waiting.reject(stopped());
    for (const worker of this.workers) worker.stop();
    if (this.workers.size === 0) return;
    await new Promise<void>((resolve) => {
      this.onEmpty.push(resolve);
    });
  }

  private pump(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? this.startWorker();
      if (worker === undefined) return;
      const next = this.queue.shift();
      if (next !== undefined) worker.take(next);
    }
  }

  private startWorker(): PoolWorker | undefined {
    if (this.workers.size >= this.size || this.closed) return undefined;
    const worker = new PoolWorker(this.start(), {
      free: () => {
        this.idle.push(worker);
        this.pump();
      },
      ended: () => {
        this.workers.delete(worker);
        const place = this.idle.indexOf(worker);
        if (place >= 0) this.idle.splice(place, 1);
        if (this.closed && this.workers.size === 0) for (const empty of this.onEmpty) empty();
        this.pump();
      },
    });
    this.workers.add(worker);
    return worker;
  }
}

function stopped(): Error {
  return unavailable({ code: "interrupted", message: "the build was stopped" });
}

class PoolWorker {
  private current: Waiting | undefined;
  private counter = 0;

  constructor(
    readonly channel: Channel,
    private readonly events: { readonly free: () => void; readonly ended: () => void },
  ) {
    channel.onMessage((message) => {
      this.receive(message as Reply);
    });
    channel.onEnd((how) => {
      this.end(how);
    });
  }

  take(next: Waiting): void {
    this.current = next;
    const request: Request = { id: ++this.counter, job: next.job };
    this.channel.send(request);
  }

  stop(): void {
    this.current?.reject(stopped());
    this.current = undefined;
    this.channel.terminate();
  }

  private receive(reply: Reply): void {
    const { current } = this;
    if (current === undefined || reply.id !== this.counter) return;
    if (reply.type === "output") {
      current.onOutput(Buffer.from(reply.data, "latin1"));
      return;
    }
    this.current = undefined;
    if (reply.type === "result") current.resolve(reply.result);
    else current.reject(reviveError(reply.error));
    this.events.free();
  }

  private end(how: string): void {
    this.current?.reject(
      unavailable({
        code: "worker-ended",
        message: `a process of the build ended before its work was done: ${how}`,
        hint: "`stagewright doctor` shows whether the sandbox works here",
      }),
    );
    this.current = undefined;
    this.events.ended();
  }
}
