import { quoted } from "../problem.js";
import type { EnvInstruction, KeyValue, LabelInstruction } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { instructionHead, missingArgument } from "./instruction-parts.js";
import { isSeparator, splitQuotedWords, type Word } from "./space.js";

/** ENV and LABEL: `KEY=VALUE …`, or, where the first word has no `=`, the old form `KEY REST-OF-LINE`. */
export function parsePairs(
  context: InstructionContext,
  args: Arguments,
): EnvInstruction | LabelInstruction | undefined {
  const words = splitQuotedWords(args.rest, context.escape);
  const [first] = words;
  if (first === undefined) return missingArgument(context, args, `${context.keyword} KEY=VALUE`);
  const pairs = first.text.includes("=") ? readPairs(context, args, words) : readOldForm(context, args);
  if (pairs === undefined) return undefined;
  const keyword = context.keyword === "ENV" ? "ENV" : "LABEL";
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword, pairs };
}

function readPairs(context: InstructionContext, args: Arguments, words: readonly Word[]): KeyValue[] | undefined {
  const pairs: KeyValue[] = [];
  for (const word of words) {
    const equals = word.text.indexOf("=");
    if (equals <= 0) {
      context.fault(
        args.restAt + word.at,
        equals < 0 ? "missing-equals" : "blank-name",
        `expected KEY=VALUE, found ${quoted(word.text)}`,
        "Put quotes around a value with blanks; a comment cannot follow on the line.",
      );
      return undefined;
    }
    pairs.push({ key: word.text.slice(0, equals), value: word.text.slice(equals + 1) });
  }
  return pairs;
}

function readOldForm(context: InstructionContext, args: Arguments): KeyValue[] | undefined {
  const { rest } = args;
  let end = 0;
  while (end < rest.length && !isSeparator(rest.charCodeAt(end))) end++;
  let value = end;
  while (value < rest.length && isSeparator(rest.charCodeAt(value))) value++;
  if (end === rest.length) return missingArgument(context, args, `${context.keyword} KEY=VALUE`);
  return [{ key: rest.slice(0, end), value: rest.slice(value) }];
}
