import { quoted } from "../problem.js";
import type { CommandLine, HealthcheckInstruction, HealthcheckOptions } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { parseDuration } from "./duration.js";
import { instructionHead, missingArgument, parseCommandLine } from "./instruction-parts.js";
import { isSpace, skipSpace } from "./space.js";

const shortestNanoseconds = 1_000_000;
const noOptions: HealthcheckOptions = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };

/** HEALTHCHECK NONE, or HEALTHCHECK CMD and a command in exec or shell form. */
export function parseHealthcheck(context: InstructionContext, args: Arguments): HealthcheckInstruction | undefined {
  const { rest, restAt } = args;
  let end = 0;
  while (end < rest.length && !isSpace(rest.charCodeAt(end))) end++;
  const type = rest.slice(0, end).toUpperCase();
  const commandAt = skipSpace(rest, end);
  if (type === "NONE") {
    if (commandAt < rest.length) {
      context.fault(
        restAt + commandAt,
        "extra-argument",
        "expected nothing after NONE, found more",
        "Remove what follows NONE.",
      );
      return undefined;
    }
    const { start, text, endLine, flags } = instructionHead(context, args);
    return { start, text, endLine, flags, keyword: "HEALTHCHECK", command: undefined, options: noOptions };
  }
  if (type !== "CMD") {
    const found = type === "" ? "nothing" : quoted(rest.slice(0, end));
    context.fault(
      restAt,
      "bad-healthcheck",
      `expected CMD or NONE after HEALTHCHECK, found ${found}`,
      "Write HEALTHCHECK CMD and the command.",
    );
    return undefined;
  }
  const options = readOptions(context, args);
  const command = readCommand(context, args, commandAt);
  if (command === undefined) return undefined;
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword: "HEALTHCHECK", command, options };
}

function readCommand(context: InstructionContext, args: Arguments, at: number): CommandLine | undefined {
  const command = parseCommandLine(context, args.rest.slice(at), args.restAt + at);
  const empty = command?.form === "exec" ? command.argv.length === 0 : command?.text === "";
  return empty ? missingArgument(context, args, "a command after CMD") : command;
}

function readOptions(context: InstructionContext, args: Arguments): HealthcheckOptions {
  return {
    interval: readInterval(context, args, "interval"),
    timeout: readInterval(context, args, "timeout"),
    startPeriod: readInterval(context, args, "start-period"),
    startInterval: readInterval(context, args, "start-interval"),
    retries: readRetries(context, args),
  };
}

function readInterval(context: InstructionContext, args: Arguments, name: string): number {
  const flag = args.flags.find((candidate) => candidate.name === name);
  if (flag?.value === undefined || flag.value === "") return 0;
  const duration = parseDuration(flag.value);
  if (duration !== undefined && (duration === 0 || duration >= shortestNanoseconds)) return duration;
  context.faultAt(
    flag.position,
    "bad-duration",
    `expected --${name} to be 0 or a duration of at least 1ms such as 1m30s, found ${quoted(flag.value)}`,
    "Write a number and one of ns, us, ms, s, m, h; several of them add up.",
  );
  return 0;
}

function readRetries(context: InstructionContext, args: Arguments): number {
  const flag = args.flags.find((candidate) => candidate.name === "retries");
  if (flag?.value === undefined || flag.value === "") return 0;
  const retries = /^[+-]?\d{1,12}$/.test(flag.value) ? Number(flag.value) : -1;
  if (retries >= 0 && retries < 2 ** 31) return retries;
  context.faultAt(
    flag.position,
    "bad-retries",
    `expected --retries to be a whole number from 0 to 2147483647, found ${quoted(flag.value)}`,
    "Write a number.",
  );
  return 0;
}
