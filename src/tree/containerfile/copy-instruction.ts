import { quoted } from "../problem.js";
import type { CopyInstruction, Heredoc } from "./ast.js";
import type { Arguments, InstructionContext } from "./context.js";
import { flagValue } from "./flags.js";
import { parseHeredocWord, readHeredocs } from "./heredoc.js";
import { instructionHead, missingArgument, reportNoJsonForm } from "./instruction-parts.js";
import { parseJsonForm } from "./json-form.js";
import { splitAtSeparators } from "./space.js";

/** COPY and ADD: sources and a destination, parted by blanks or as a JSON array. */
export function parseCopy(context: InstructionContext, args: Arguments): CopyInstruction | undefined {
  const json = parseJsonForm(args.rest);
  if (json === "not-strings" || json === "text-after-array") return reportNoJsonForm(context, args.restAt, json);
  const bodies = json === "not-json" ? readHeredocs(context) : [];
  const paths = json === "not-json" ? splitAtSeparators(args.rest).map((word) => word.text) : json;
  const destination = paths.at(-1);
  if (destination === undefined || paths.length < 2) {
    return missingArgument(context, args, `${context.keyword} SOURCE… DESTINATION`);
  }
  if (isHeredoc(destination)) {
    const at = Math.max(0, context.line.text.lastIndexOf(destination));
    const message = `expected a path as the destination, found ${quoted(destination)}`;
    context.fault(at, "heredoc-destination", message, "Add the path of the file to write after the heredoc.");
    return undefined;
  }
  checkFrom(context, args);
  const keyword = context.keyword === "COPY" ? "COPY" : "ADD";
  const { sources, heredocs } = splitSources(paths.slice(0, -1), bodies);
  const { start, text, endLine, flags } = instructionHead(context, args);
  return { start, text, endLine, flags, keyword, sources, heredocs, destination };
}

function isHeredoc(path: string): boolean {
  const word = parseHeredocWord(path);
  return word !== undefined && word !== "fault";
}

function splitSources(
  paths: readonly string[],
  bodies: readonly Heredoc[],
): { readonly sources: readonly string[]; readonly heredocs: readonly Heredoc[] } {
  if (!paths.some((path) => path.includes("<<"))) return { sources: paths, heredocs: [] };
  // Where two heredocs of a line share a name, BuildKit gives both the last body.
  const byName = new Map(bodies.map((heredoc) => [heredoc.name, heredoc]));
  const sources: string[] = [];
  const heredocs: Heredoc[] = [];
  for (const path of paths) {
    const word = parseHeredocWord(path);
    if (word === undefined || word === "fault") sources.push(path);
    else heredocs.push({ body: "", content: "", ...byName.get(word.name), ...word });
  }
  return { sources, heredocs };
}

/** BuildKit takes the value of `--from` as it stands, where a dollar sign is never right. */
function checkFrom(context: InstructionContext, args: Arguments): void {
  const from = flagValue(args, "from");
  const flag = args.flags.find((candidate) => candidate.name === "from");
  if (from === undefined || flag === undefined || !from.includes("$")) return;
  context.faultAt(
    flag.position,
    "variable-in-from",
    `expected the name of a stage, context or image, found ${quoted(from)}`,
    "BuildKit expands no variables here: define a stage with FROM, which does, and name that.",
  );
}
