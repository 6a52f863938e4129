import type { CommandLine, Position } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { parseJsonForm } from "./json-form.js";
import { quote } from "./quote.js";
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
  if (argv !== "not-strings") return { form: "exec", argv };
  reportNotStrings(context, restAt);
  return undefined;
}

/** Reports a JSON array that holds something other than strings. */
export function reportNotStrings(context: InstructionContext, at: number): void {
  context.fault(
    at,
    "not-strings",
    "expected a JSON array of strings, found an array that holds something else",
    "Put every element between double quotes.",
  );
}

/** Reports an instruction that ends too early. */
export function missingArgument(context: InstructionContext, args: Arguments, expected: string): undefined {
  context.fault(
    args.restAt,
    "missing-argument",
    `expected ${expected}, found ${args.rest === "" ? "nothing" : quote(args.rest)} after ${context.keyword}`,
    "Complete the instruction, or remove it.",
  );
  return undefined;
}
