/**
 * Interfaces for the outside world. Only `host/` implements them for real; tests may give fakes that lie. The shapes
 * are Node's own, so that a reader need not learn another file system.
 */
import type * as fs from "node:fs";

import type { ByteString } from "./bytes.js";

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
  | "lchownSync"
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
  /**
   * Standard input is an empty pipe, output and error are one pipe to `onOutput`; without it they are sockets, which a
   * program cannot open by the name `/dev/stdout`. One such run at a time, in a process that was started with pipes.
   */
  readonly pipes?: true;
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

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly connectMilliseconds: number;
  /** Longest silence before the first byte of the answer, and between two pieces of its body. */
  readonly idleMilliseconds: number;
  readonly abort?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; a header that came more than once is joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The body as it came: no content coding is undone. Read it to its end or call {@link destroy}.
   * @throws unavailable `connection-failed`, `time-out`, `interrupted` while it is read
   */
  readonly body: AsyncIterable<Uint8Array>;
  destroy(): void;
}

export interface Http {
  /**
   * One GET. Redirects are answers like any other and not followed.
   * @throws unavailable `connection-failed`, `time-out`, `interrupted`
   */
  get(url: string, options: HttpOptions): Promise<HttpResponse>;
  /** Ends idle connections. */
  close(): Promise<void>;
}

/** A plain tar, ready to be indexed: the whole of the file `tarPath`. */
export interface OpenedArchive {
  readonly tarPath: ByteString;
  readonly size: number;
  /** Removes the spool, where one was needed. After it `tarPath` may be gone. */
  close(): void;
}

/** Tells archives from other files as BuildKit's ADD does, by content alone (SO-40 to SO-47). */
export interface ArchiveOpener {
  /**
   * Undefined when ADD copies the file as it is. The entries are as hostile as whoever made the archive: paths and links
   * are for the reader of the tar to contain.
   * @param path a regular file that nobody changes meanwhile
   * @throws malformed `archive-damaged`; rejected `archive-bomb`; unavailable `program-missing`, `disk-full`, `interrupted`
   */
  open(path: ByteString, abort?: AbortSignal): Promise<OpenedArchive | undefined>;
}

/** Two-way messages with a thread or a child process; what is sent must be plain data. */
export interface Channel {
  send(message: unknown): void;
  onMessage(receive: (message: unknown) => void): void;
  /** Called once when the other side has ended, whatever the reason; the text says how. */
  onEnd(ended: (how: string) => void): void;
  /** Ends the other side at once. */
  terminate(): void;
}

/** Sockets of this machine, in the file system. */
export interface Sockets {
  /**
   * Makes a socket in the folder that takes whoever connects and what they send, without reading it, until it is closed.
   * `path` is short enough for a socket's address however deep the folder is, and good while this process lives.
   */
  hold(folder: string): Promise<{ readonly path: string; connected(): boolean; close(): void }>;
}

/** Starts the other side of a {@link Channel}. */
export interface Workers {
  /** A thread of this process that runs a module. */
  startThread(module: string): Channel;
  /** A child process that was started with a Node channel as its descriptor 3 and ends when this process ends. */
  startProcess(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Channel;
}
