/**
 * Interfaces for the outside world. Only `host/` implements them for real; tests may give fakes that lie. The shapes
 * are Node's own, so that a reader need not learn another file system.
 */
import type * as fs from "node:fs";

/** Synchronous file access: heavy work runs in worker threads, where blocking is the fastest form. */
export type FileSystem = Pick<
  typeof fs,
  | "accessSync"
  | "chmodSync"
  | "closeSync"
  | "copyFileSync"
  | "existsSync"
  | "fchmodSync"
  | "fstatSync"
  | "fsyncSync"
  | "ftruncateSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "mkdtempSync"
  | "openSync"
  | "readFileSync"
  | "readSync"
  | "readdirSync"
  | "readlinkSync"
  | "realpathSync"
  | "renameSync"
  | "rmSync"
  | "rmdirSync"
  | "statSync"
  | "statfsSync"
  | "symlinkSync"
  | "unlinkSync"
  | "utimesSync"
  | "writeFileSync"
  | "writeSync"
>;

export interface ProcessResult {
  /** Exit status, or `null` when a signal ended the process. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes for standard input; without it standard input is closed. A file descriptor is passed on as it is. */
  readonly stdin?: Uint8Array | { readonly fd: number };
  /** Standard output goes to this descriptor and not into the result. */
  readonly stdoutFd?: number;
  /** Bytes kept of each output; the process is killed beyond it (default 16 MiB). */
  readonly outputLimit?: number;
  /** Called for each piece of output as it comes (both streams in their order); then nothing is kept. */
  readonly onOutput?: (chunk: Buffer) => void;
  readonly timeoutMilliseconds?: number;
  readonly abort?: AbortSignal;
}

export interface Processes {
  /**
   * Runs a program with an argument list (never a shell) and waits for it.
   * @throws unavailable `program-missing` when it cannot be started; a non-zero status is a result, not an error.
   */
  run(program: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult>;
  /** Full path of a program in PATH, or undefined. */
  find(program: string): string | undefined;
}

/** Time as a value: tests give their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only ever grow, for durations. */
  monotonic(): number;
  sleep(milliseconds: number, abort?: AbortSignal): Promise<void>;
}

/** Progress for a person. It goes to standard error and is never read by a program. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}
