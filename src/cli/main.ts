#!/usr/bin/env node
/** The command: reads the arguments, loads the one command that was asked for, prints its report, gives its status. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

import type { CommandContext } from "./context.js";
import { Terminal } from "./terminal.js";

/** 128 and the number of SIGINT, as shells count. */
const interruptedStatus = 130;
/** The same for SIGPIPE, which is what an unread answer amounts to. */
const unreadStatus = 141;
const unread = new Error("nobody reads the answer");
const wrongUse = 2;

const terminal = new Terminal(process.stdout, process.stderr, process.env);
const interruption = new AbortController();

type Run = (words: readonly string[], options: never, context: CommandContext) => Promise<number>;

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0 && number <= 1024) return number;
  throw new InvalidArgumentError("expected a whole number from 1 to 1024");
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function define(program: Command, name: string, about: string, load: () => Promise<{ run: Run }>): Command {
  const command = program.command(name).description(about);
  command
    .option("--tree <dir>", "root of the package tree", ".")
    .option("--store <dir>", "store of sources, layers and caches (default: $STAGEWRIGHT_STORE, or below ~/.cache)")
    .option("--json", "print the report as one JSON document");
  command.action(async (...received: unknown[]) => {
    const words = Array.isArray(received[0]) ? (received[0] as string[]) : [];
    const { run } = await load();
    process.exitCode = await run(words, command.opts<never>(), { terminal, abort: interruption.signal, program });
  });
  return command;
}

const distfilesOption = (): Option =>
  new Option("--distfiles <dir>", "folder that is asked first for sources, by hash and file name");

function createProgram(): Command {
  const program = new Command("stagewright")
    .description("Builds a package tree from source into OCI images, byte-identical to BuildKit's, without a daemon.")
    .version("0.1.0", "--version", "print the version")
    .helpCommand("help [command]", "show what a command does")
    .showHelpAfterError("(run with --help for what is possible)")
    .exitOverride();
  program.addHelpText(
    "after",
    "\nExit status: 0 done; 1 a negative answer; 2 wrong use or a malformed tree; 3 could not find out; 130 interrupted." +
      "\nTargets are STAGE-NAME (core-busybox); a bare name is enough where one stage has it.",
  );
  define(program, "graph", "targets, edges and order of the tree", () => import("./commands/graph.js"))
    .argument("[targets...]", "these and all they stand on")
    .option("--dot", "print Graphviz's language")
    .option("--table", "one line a target, in place of the tree");
  define(program, "check", "the tree's rules, with file and line", () => import("./commands/check.js")).argument(
    "[targets...]",
    "packages of these targets only",
  );
  define(program, "fetch", "sources into the store, each hash checked", () => import("./commands/fetch.js"))
    .argument("[targets...]", "sources of these targets' packages; all without")
    .addOption(distfilesOption())
    .option("--jobs <n>", "downloads at the same time", wholeNumber);
  define(program, "build", "images into out/TARGET/ as OCI layouts", () => import("./commands/build.js"))
    .argument("[targets...]", "these and all they stand on; all without")
    .addOption(distfilesOption())
    .option("--output <dir>", "where the layouts go (default: out, below the tree)")
    .option("--jobs <n>", "RUN steps at the same time (default: one for each processor)", wholeNumber)
    .addOption(new Option("--engine <engine>", "what runs the steps").choices(["native"]).default("native"))
    .option("--platform <platform>", "build for this platform, as linux/amd64")
    .option("--no-cache", "do every step again")
    .option("--build-context <name=dir>", "a folder, or oci-layout://DIR: an image from outside the tree", collect, [])
    .option("--secret <id=ID,src=FILE>", "a file for RUN --mount=type=secret", collect, []);
  define(program, "digests", "digests of what was built, against digests/", () => import("./commands/digests.js"))
    .argument("[targets...]", "these only")
    .option("--output <dir>", "where the layouts are (default: out, below the tree)")
    .addOption(new Option("--write", "write digests/").conflicts("verify"))
    .option("--verify", "compare with digests/ (exit status 1 where they differ)");
  define(
    program,
    "doctor",
    "what this machine has and lacks, with the command that mends it",
    () => import("./commands/doctor.js"),
  );
  define(program, "gc", "remove from the store what no recent build used", () => import("./commands/gc.js"))
    .option("--days <n>", "keep what was used in the last n days", wholeNumber, 30)
    .option("--all", "remove every layer, step and cache; sources stay");
  define(
    program,
    "completion",
    "a completion script for bash, zsh or fish",
    () => import("./commands/completion.js"),
  ).argument("<shell...>", "bash, zsh or fish");
  return program;
}

/** A reader that went away (`| head`) wants no more: work stops as it does by Ctrl-C, without a word. */
function stopWhenUnread(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    interruption.abort(unread);
    process.exitCode = unreadStatus;
  });
}

function statusOfInterruption(signal: AbortSignal): number {
  return signal.reason === unread ? unreadStatus : interruptedStatus;
}

async function main(): Promise<void> {
  stopWhenUnread(process.stdout);
  stopWhenUnread(process.stderr);
  let interrupts = 0;
  process.on("SIGINT", () => {
    interrupts++;
    if (interrupts > 1) process.exit(interruptedStatus);
    interruption.abort();
  });
  process.on("SIGTERM", () => {
    interruption.abort();
  });
  const program = createProgram();
  try {
    await program.parseAsync();
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : wrongUse;
    } else {
      const { reportError } = await import("./report-error.js");
      process.exitCode = reportError(thrown, terminal, process.argv.includes("--json"));
    }
  }
  if (interruption.signal.aborted) process.exitCode = statusOfInterruption(interruption.signal);
}

await main();
