import { StagewrightError } from "../../base/index.js";
import { quoted } from "../problem.js";
import type { Heredoc, RunInstruction } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { parseHeredocWord, readHeredocs } from "./heredoc.js";
import { instructionHead, parseCommandLine } from "./instruction-parts.js";
import { checkRunMount } from "./run-mount.js";

const networks = ["default", "none", "host"];

/** RUN, with the bodies of its heredocs; its flags are checked as far as they hold no variables. */
export function parseRun(context: InstructionContext, args: Arguments): RunInstruction | undefined {
  for (const flag of args.flags) checkRunFlag(context, flag.name, flag.value ?? "", flag.position);
  const command = parseCommandLine(context, args.rest, args.restAt);
  if (command === undefined) return undefined;
  if (command.form === "exec" && command.argv.length === 0) {
    context.fault(
      args.restAt,
      "missing-argument",
      "expected a program, found an empty array",
      "Name the program to run.",
    );
    return undefined;
  }
  const heredocs = command.form === "shell" ? readHeredocs(context) : [];
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword: "RUN", command, heredocs };
}

function checkRunFlag(
  context: InstructionContext,
  name: string,
  value: string,
  position: RunInstruction["start"],
): void {
  if (name === "network" && !networks.includes(value)) {
    const message = `expected --network to be default, none or host, found ${quoted(value)}`;
    context.faultAt(position, "bad-network", message, "Write --network=none: a build here has no network anyway.");
  } else if (name === "security" && value !== "sandbox") {
    const message = `expected --security=sandbox, found ${quoted(value)}`;
    context.faultAt(
      position,
      "bad-security",
      message,
      "Remove the flag: steps run in a sandbox, never with more rights.",
    );
  } else if (name === "mount") {
    checkMountFlag(context, value, position);
  }
}

function checkMountFlag(context: InstructionContext, value: string, position: RunInstruction["start"]): void {
  try {
    checkRunMount(value);
  } catch (error) {
    if (!(error instanceof StagewrightError)) throw error;
    context.faultAt(position, error.code, error.message, error.hint ?? "");
  }
}

/** What a RUN runs, after BuildKit's treatment of heredocs. Nothing of it is expanded: the shell does that. */
export type RunProgram =
  | { readonly kind: "exec"; readonly argv: readonly string[] }
  /** The text that follows the words of SHELL. */
  | { readonly kind: "shell"; readonly text: string }
  /**
   * A heredoc that begins with `#!`: a file at `path`, mode 0755, holding `data`; the words of SHELL are followed by the
   * path.
   */
  | { readonly kind: "script"; readonly path: string; readonly data: string };

/** The folder in which BuildKit puts scripts. */
const scriptFolder = "/dev/pipes";

/**
 * What BuildKit hands to the shell for a RUN, byte for byte; its history shows the same text. A heredoc that is the whole
 * command is itself the text (leading tabs gone for `<<-`); beside other words, the bodies follow the line as they stand
 * in the file, each closed by its delimiter, and the shell reads them.
 */
export function runProgram(run: RunInstruction): RunProgram {
  if (run.command.form === "exec") return { kind: "exec", argv: run.command.argv };
  const { text } = run.command;
  const [first] = run.heredocs;
  if (first === undefined) return { kind: "shell", text };
  const word = parseHeredocWord(text);
  if (word === undefined || word === "fault")
    return { kind: "shell", text: text + run.heredocs.map(asShellText).join("") };
  // BuildKit looks for the mark before it takes tabs away.
  if (!first.body.startsWith("#!")) return { kind: "shell", text: first.content };
  return { kind: "script", path: `${scriptFolder}/${first.name}`, data: first.content };
}

function asShellText(heredoc: Heredoc): string {
  return `\n${heredoc.body}${heredoc.name}`;
}
