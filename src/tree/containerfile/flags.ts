import { quoted } from "../problem.js";
import type { Flag } from "./ast.js";
import type { InstructionContext } from "./context.js";
import type { RawFlag } from "./split-instruction.js";
import { suggestion } from "./suggestion.js";

type FlagKind = "boolean" | "text" | "texts";
type FlagTable = ReadonlyMap<string, FlagKind>;

/** The flags that each instruction takes: those of the Dockerfile reference up to syntax 1.20. */
const tables: ReadonlyMap<string, FlagTable> = new Map([
  ["FROM", table({ platform: "text" })],
  [
    "COPY",
    table({ from: "text", chown: "text", chmod: "text", link: "boolean", parents: "boolean", exclude: "texts" }),
  ],
  [
    "ADD",
    table({
      ...{ chown: "text", chmod: "text", link: "boolean", checksum: "text" },
      ...{ "keep-git-dir": "boolean", unpack: "boolean", exclude: "texts" },
    }),
  ],
  ["RUN", table({ mount: "texts", network: "text", security: "text" })],
  [
    "HEALTHCHECK",
    table({ interval: "text", timeout: "text", "start-period": "text", "start-interval": "text", retries: "text" }),
  ],
]);
const noTable: FlagTable = new Map();

function table(flags: Readonly<Record<string, FlagKind>>): FlagTable {
  return new Map(Object.entries(flags));
}

const noFlags: readonly Flag[] = [];

/** Flags cut at their `=`, each checked against the instruction's table. The faulty ones are reported and left out. */
export function checkFlags(context: InstructionContext, raw: readonly RawFlag[]): readonly Flag[] {
  if (raw.length === 0) return noFlags;
  const table = tables.get(context.keyword) ?? noTable;
  const flags: Flag[] = [];
  const seen: string[] = [];
  for (const word of raw) {
    if (context.isFull) break;
    const flag = cutFlag(context, word);
    const kind = table.get(flag.name);
    if (kind === undefined) reportUnknown(context, word, flag.name, [...table.keys()]);
    else if (kind !== "texts" && seen.includes(flag.name)) {
      context.fault(word.at, "flag-repeated", `expected --${flag.name} once, found it again`, "Keep one of the two.");
    } else if (isFlagValue(context, word, flag, kind)) flags.push(flag);
    // Only what may stand once is remembered, so that the list is never longer than the table.
    if (kind !== undefined && kind !== "texts" && !seen.includes(flag.name)) seen.push(flag.name);
  }
  return flags;
}

function cutFlag(context: InstructionContext, word: RawFlag): Flag {
  const text = word.text.slice("--".length);
  const equals = text.indexOf("=");
  return {
    name: equals < 0 ? text : text.slice(0, equals),
    value: equals < 0 ? undefined : text.slice(equals + 1),
    position: context.positionAt(word.at),
  };
}

function isFlagValue(context: InstructionContext, word: RawFlag, flag: Flag, kind: FlagKind): boolean {
  const { name, value } = flag;
  if (kind === "boolean" ? value === "" : value === undefined) {
    context.fault(
      word.at,
      "flag-without-value",
      `expected a value after --${name}, found none`,
      `Write --${name}=VALUE, without blanks around the \`=\`.`,
    );
    return false;
  }
  if (kind === "boolean" && value !== undefined && !/^(true|false)$/i.test(value)) {
    context.fault(
      word.at,
      "flag-not-boolean",
      `expected --${name} to be true or false, found ${quoted(value)}`,
      `Write --${name} or --${name}=true.`,
    );
    return false;
  }
  // BuildKit reads flags byte by byte, and would take something else than what is written.
  if (/[^\u0000-\u007f]/.test(word.text)) {
    context.fault(
      word.at,
      "flag-not-ascii",
      `expected ASCII characters in a flag, found ${quoted(word.text)}`,
      "BuildKit garbles other characters in flags: use another name, or a variable.",
    );
    return false;
  }
  return true;
}

function reportUnknown(context: InstructionContext, word: RawFlag, name: string, known: readonly string[]): void {
  const takes = known.length === 0 ? "takes no flags" : `takes ${known.map((flag) => `--${flag}`).join(", ")}`;
  context.fault(
    word.at,
    "unknown-flag",
    `expected a flag of ${context.keyword}, found ${quoted(`--${name}`)}${suggestion(name, known)}`,
    `${context.keyword} ${takes}.`,
  );
}

/** Value of the flag `name`, undefined where it is missing. Not expanded. */
export function flagValue(instruction: { readonly flags: readonly Flag[] }, name: string): string | undefined {
  return instruction.flags.find((flag) => flag.name === name)?.value;
}

/** Values of a flag that may stand more than once, in order. Not expanded. */
export function flagValues(instruction: { readonly flags: readonly Flag[] }, name: string): readonly string[] {
  return instruction.flags.filter((flag) => flag.name === name).map((flag) => flag.value ?? "");
}

/** Whether a boolean flag is on: it is there and not `=false`. */
export function isFlagSet(instruction: { readonly flags: readonly Flag[] }, name: string): boolean {
  const flag = instruction.flags.find((candidate) => candidate.name === name);
  return flag !== undefined && flag.value?.toLowerCase() !== "false";
}
