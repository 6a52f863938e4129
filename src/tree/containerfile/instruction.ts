import { quoted } from "../problem.js";
import type { Arguments, InstructionContext } from "./context.js";
import type {
  ArgInstruction,
  CommandInstruction,
  FromInstruction,
  Instruction,
  ShellInstruction,
  WordInstruction,
  WordListInstruction,
} from "./ast.js";
import { parseCopy } from "./copy-instruction.js";
import { flagValue } from "./flags.js";
import { parseHealthcheck } from "./healthcheck.js";
import { parseJsonForm } from "./json-form.js";
import { parsePairs } from "./key-values.js";
import { instructionHead, missingArgument, parseCommandLine, reportNoJsonForm } from "./instruction-parts.js";
import { parseRun } from "./run-instruction.js";
import { splitAtSeparators, splitQuotedWords, trimSpace } from "./space.js";

type Parser = (context: InstructionContext, args: Arguments) => Instruction | FromInstruction | undefined;

const parsers: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["FROM", parseFrom],
  ["ARG", parseArg],
  ["ENV", parsePairs],
  ["LABEL", parsePairs],
  ["RUN", parseRun],
  ["COPY", parseCopy],
  ["ADD", parseCopy],
  ["CMD", parseCommandInstruction],
  ["ENTRYPOINT", parseCommandInstruction],
  ["SHELL", parseShell],
  ["HEALTHCHECK", parseHealthcheck],
  ["WORKDIR", parseWord],
  ["USER", parseWord],
  ["STOPSIGNAL", parseWord],
  ["MAINTAINER", parseWord],
  ["EXPOSE", parseWordList],
  ["VOLUME", parseWordList],
]);

/** Keywords in upper case. ONBUILD is not among them. */
export const keywords: ReadonlySet<string> = new Set(parsers.keys());

/** The instruction, or undefined when a fault was reported instead. `context.keyword` is one of {@link keywords}. */
export function parseInstruction(
  context: InstructionContext,
  args: Arguments,
): Instruction | FromInstruction | undefined {
  return parsers.get(context.keyword)?.(context, args);
}

const stageName = /^[a-z][a-z0-9._-]*$/;

function parseFrom(context: InstructionContext, args: Arguments): FromInstruction | undefined {
  const words = splitAtSeparators(args.rest);
  const [image, as, name] = words;
  if (image === undefined || (words.length !== 1 && !(words.length === 3 && /^as$/i.test(as?.text ?? "")))) {
    const at = as === undefined ? 0 : args.restAt + as.at;
    context.fault(
      at,
      "bad-from",
      `expected FROM IMAGE or FROM IMAGE AS NAME, found ${words.length} words after FROM`,
      "Write FROM IMAGE AS NAME on one line; comments cannot follow on it.",
    );
    return undefined;
  }
  const stage = name?.text.toLowerCase();
  if (name !== undefined && !stageName.test(stage ?? "")) {
    context.fault(
      args.restAt + name.at,
      "bad-stage-name",
      `expected a stage name of a letter, then letters, digits, dots, dashes and underscores, found ${quoted(name.text)}`,
      "Choose another name after AS.",
    );
    return undefined;
  }
  const { start, text, endLine, flags } = instructionHead(context, args);
  return {
    keyword: "FROM",
    start,
    text,
    endLine,
    flags,
    image: image.text,
    imagePosition: context.positionAt(args.restAt + image.at),
    stage,
    platform: flagValue(args, "platform"),
  };
}

function parseArg(context: InstructionContext, args: Arguments): ArgInstruction | undefined {
  const words = splitQuotedWords(args.rest, context.escape);
  if (words.length === 0) return missingArgument(context, args, "ARG NAME or ARG NAME=DEFAULT");
  const blank = words.find((word) => word.text.startsWith("="));
  if (blank !== undefined) {
    context.fault(
      args.restAt + blank.at,
      "blank-name",
      "expected a name before =, found none",
      "Write ARG NAME=DEFAULT.",
    );
    return undefined;
  }
  const parsed = words.map(({ text }) => {
    const equals = text.indexOf("=");
    return equals < 0 ? { key: text, value: undefined } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword: "ARG", args: parsed };
}

function parseCommandInstruction(context: InstructionContext, args: Arguments): CommandInstruction | undefined {
  const command = parseCommandLine(context, args.rest, args.restAt);
  if (command === undefined) return undefined;
  const keyword = context.keyword === "CMD" ? "CMD" : "ENTRYPOINT";
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword, command };
}

function parseShell(context: InstructionContext, args: Arguments): ShellInstruction | undefined {
  const command = parseCommandLine(context, args.rest, args.restAt);
  if (command === undefined) return undefined;
  if (command.form === "shell" || command.argv.length === 0) {
    context.fault(
      args.restAt,
      "shell-not-json",
      `expected a JSON array with at least one string, found ${quoted(args.rest)}`,
      'Write SHELL ["/bin/sh", "-c"].',
    );
    return undefined;
  }
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword: "SHELL", argv: command.argv };
}

function parseWord(context: InstructionContext, args: Arguments): WordInstruction | undefined {
  const keyword = context.keyword as WordInstruction["keyword"];
  if (args.rest === "") return missingArgument(context, args, `${keyword} and one argument`);
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword, value: args.rest };
}

function parseWordList(context: InstructionContext, args: Arguments): WordListInstruction | undefined {
  const keyword = context.keyword === "VOLUME" ? "VOLUME" : "EXPOSE";
  const json = keyword === "VOLUME" ? parseJsonForm(args.rest) : "not-json";
  if (json === "not-strings" || json === "text-after-array") return reportNoJsonForm(context, args.restAt, json);
  const values = json === "not-json" ? splitAtSeparators(args.rest).map((word) => word.text) : json.map(trimSpace);
  if (values.length === 0) return missingArgument(context, args, `${keyword} and at least one argument`);
  if (values.includes("")) {
    context.fault(args.restAt, "blank-volume", "expected paths, found an empty one", "Remove the empty element.");
    return undefined;
  }
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword, values };
}
