import { spawn, type SpawnOptions } from "node:child_process";
import { accessSync, closeSync, constants, statSync } from "node:fs";

import { messageOf, unavailable } from "../base/index.js";
import type { Processes, ProcessOptions, ProcessResult } from "../base/index.js";
import type { StandardPipes } from "./pipes.js";

const defaultOutputLimit = 16 << 20;

/**
 * Programs are found in this PATH; the environment of a child is whatever the caller lists and nothing more.
 * @param pipes what the option `pipes` of a run uses.
 */
export function nodeProcesses(searchPath: string, pipes?: StandardPipes): Processes {
  const find = (program: string): string | undefined => findProgram(program, searchPath);
  return {
    find,
    async run(program, args, options) {
      const path = find(program);
      if (path === undefined) throw missing(program);
      if (options.pipes === true) return await runPiped(path, args, options, pipes);
      return await runProgram(path, args, options);
    },
  };
}

function missing(program: string, cause?: unknown): Error {
  return unavailable({
    code: "program-missing",
    message: `the program ${program} is needed and could not be started${cause === undefined ? "" : `: ${messageOf(cause)}`}`,
    subject: program,
    hint: "`stagewright doctor` lists what is missing and the command that installs it",
    cause,
  });
}

function findProgram(program: string, searchPath: string): string | undefined {
  if (program.includes("/")) return isExecutable(program) ? program : undefined;
  for (const folder of searchPath.split(":")) {
    const path = `${folder === "" ? "." : folder}/${program}`;
    if (isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent or not ours to run: both mean "not here"
  }
}

function spawnOptions(options: ProcessOptions): SpawnOptions {
  const input = options.stdin === undefined ? "ignore" : "fd" in options.stdin ? options.stdin.fd : "pipe";
  return {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env,
    stdio: [input, options.stdoutFd ?? "pipe", "pipe"],
    ...(options.abort === undefined ? {} : { signal: options.abort, killSignal: "SIGKILL" as const }),
    ...(options.timeoutMilliseconds === undefined
      ? {}
      : { timeout: options.timeoutMilliseconds, killSignal: "SIGKILL" as const }),
  };
}

function runProgram(path: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, spawnOptions(options));
    const kept: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    let room = options.outputLimit ?? defaultOutputLimit;
    const collect = (name: "stdout" | "stderr") => (chunk: Buffer) => {
      if (options.onOutput !== undefined) {
        options.onOutput(chunk);
        return;
      }
      room -= chunk.length;
      if (room >= 0) kept[name].push(chunk);
      else child.kill("SIGKILL");
    };
    child.stdout?.on("data", collect("stdout"));
    child.stderr?.on("data", collect("stderr"));
    if (child.stdin !== null && options.stdin !== undefined && !("fd" in options.stdin)) {
      child.stdin.on("error", () => undefined); // a child that does not read its input is no error of ours
      child.stdin.end(options.stdin);
    }
    child.on("error", (cause) => {
      if (options.abort?.aborted === true) reject(interrupted(path));
      else reject(missing(path, cause));
    });
    child.on("close", (status, signal) => {
      resolve({ status, signal, stdout: Buffer.concat(kept.stdout), stderr: Buffer.concat(kept.stderr) });
    });
  });
}

async function runPiped(
  path: string,
  args: readonly string[],
  options: ProcessOptions,
  pipes: StandardPipes | undefined,
): Promise<ProcessResult> {
  if (pipes === undefined) throw new Error("this process was not started with pipes");
  const { stdio, ended } = pipes.open(options.onOutput ?? (() => undefined));
  const [input, output] = stdio;
  const child = spawn(path, args, { ...spawnOptions(options), stdio: [input, output, output] });
  for (const descriptor of stdio) closeSync(descriptor);
  const exited = new Promise<Pick<ProcessResult, "status" | "signal">>((resolve, reject) => {
    child.on("error", (cause) => {
      reject(missing(path, cause));
    });
    child.on("exit", (status, signal) => {
      resolve({ status, signal });
    });
  });
  const [{ status, signal }] = await Promise.all([exited, ended]);
  return { status, signal, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
}

function interrupted(path: string): Error {
  return unavailable({ code: "interrupted", message: "interrupted before it was done", subject: path });
}
