import { quoted } from "../problem.js";
import type { CommandLine, Position } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { type NoJsonForm, parseJsonForm } from "./json-form.js";
import { trimSpace } from "./space.js";

/** The members that all instructions share; `endLine` is known only after the heredocs are read. */
export interface InstructionHead {
  readonly start: Position;
  readonly text: string;
  readonly endLine: number;
  readonly flags: Arguments["flags"];
}

/** The shared members, to be made last. */
export function instructionHead(context: InstructionContext, args: Arguments): InstructionHead {
  return {
    start: context.positionAt(0),
    text: trimSpace(context.line.text),
    endLine: context.reader.lineNumber,
    flags: args.flags,
  };
}

/** The exec form where `rest` is a JSON array of strings, else the shell form; undefined after a fault. */
export function parseCommandLine(context: InstructionContext, rest: string, restAt: number): CommandLine | undefined {
  const argv = parseJsonForm(rest);
  if (argv === "not-json") return { form: "shell", text: rest };
  return typeof argv === "string" ? reportNoJsonForm(context, restAt, argv) : { form: "exec", argv };
}

/** Reports the array that {@link parseJsonForm} refused; undefined, for the caller to return. */
export function reportNoJsonForm(context: InstructionContext, at: number, reason: NoJsonForm): undefined {
  if (reason === "text-after-array") {
    context.fault(
      at,
      "text-after-array",
      "expected nothing after the JSON array, found more text",
      "Remove it: versions of BuildKit differ in what they make of it. A comment needs a line of its own.",
    );
  } else {
    context.fault(
      at,
      "not-strings",
      "expected a JSON array of strings, found an array that holds something else",
      "Put every element between double quotes.",
    );
  }
  return undefined;
}

/** Reports an instruction that ends too early. */
export function missingArgument(context: InstructionContext, args: Arguments, expected: string): undefined {
  context.fault(
    args.restAt,
    "missing-argument",
    `expected ${expected}, found ${args.rest === "" ? "nothing" : quoted(args.rest)} after ${context.keyword}`,
    "Complete the instruction, or remove it.",
  );
  return undefined;
}
