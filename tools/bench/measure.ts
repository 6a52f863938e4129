/** Times whole processes, in turns, and looks at how much memory ours take. */
import { spawn } from "node:child_process";

import { MemorySampler } from "./memory.js";

/** One program of a comparison: what is run, and what must be done before each run, outside the measured time. */
export interface Side {
  readonly command: readonly [string, ...string[]];
  readonly before?: () => Promise<void> | void;
}

export interface Timing {
  /** Seconds of each run, in their order. */
  readonly seconds: readonly number[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Comparison {
  readonly ours: Timing;
  readonly peer: Timing;
  /** Median over median. */
  readonly ratio: number;
  /** Most bytes of memory that our processes had at one moment. */
  readonly memory: number;
}

/** Environment of every measured program: a locale or an option of the caller's Node would disturb. */
const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LC_ALL: "C",
};

/**
 * Runs both sides once to warm up (that run tells our memory too), then in turns; who begins changes from turn to turn.
 * @throws when a program fails
 */
export async function compare(ours: Side, peer: Side, runs: number): Promise<Comparison> {
  const memory = await peakMemory(ours);
  await timed(peer);
  const times: Record<"ours" | "peer", number[]> = { ours: [], peer: [] };
  const sides = { ours, peer };
  for (let run = 0; run < runs; run++) {
    const turn = run % 2 === 0 ? (["ours", "peer"] as const) : (["peer", "ours"] as const);
    for (const name of turn) times[name].push(await timed(sides[name]));
  }
  const [a, b] = [timing(times.ours), timing(times.peer)];
  return { ours: a, peer: b, ratio: a.median / b.median, memory };
}

export function timing(seconds: readonly number[]): Timing {
  const sorted = [...seconds].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return { seconds, median: (low + high) / 2, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

async function timed(side: Side): Promise<number> {
  await side.before?.();
  const begun = performance.now();
  await runProgram(side.command);
  return (performance.now() - begun) / 1000;
}

async function peakMemory(side: Side): Promise<number> {
  await side.before?.();
  let sampler: MemorySampler | undefined;
  try {
    await runProgram(side.command, (pid) => (sampler = new MemorySampler(pid)));
  } finally {
    sampler?.stop();
  }
  return sampler?.peak ?? 0;
}

/** Runs a program to its end; its output goes nowhere, except when it fails. */
export function runProgram(command: readonly [string, ...string[]], onStart?: (pid: number) => void): Promise<string> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
    const output: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
    child.stdout.on("data", (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.stderr.push(chunk));
    if (child.pid !== undefined) onStart?.(child.pid);
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) {
        resolve(Buffer.concat(output.stdout).toString("utf8"));
        return;
      }
      const said = Buffer.concat(output.stderr).toString("utf8").slice(-2000);
      reject(new Error(`${command.join(" ").slice(0, 300)} ended with status ${String(status)}:\n${said}`));
    });
  });
}
