import { compareText, malformed } from "../../base/index.js";
import { didYouMean, nearestNames, quoted, stageNames } from "../../tree/index.js";

/**
 * The id that a person means by a word of the command line: a `STAGE-NAME`, or a bare name that only one stage has
 * (rule TR-58).
 * @throws malformed `unknown-target`, `ambiguous-target`
 */
export function resolveTarget(ids: ReadonlySet<string> | ReadonlyMap<string, unknown>, word: string): string {
  if (ids.has(word)) return word;
  const candidates = stageNames.map((stage) => `${stage}-${word}`).filter((id) => ids.has(id));
  const [only, second] = candidates;
  if (only !== undefined && second === undefined) return only;
  if (only !== undefined) {
    throw malformed({
      code: "ambiguous-target",
      subject: word,
      message: `expected one target, found ${quoted(word)} in ${String(candidates.length)} stages: ${candidates.join(", ")}`,
      hint: `write one of ${candidates.join(", ")}`,
    });
  }
  const guesses = nearestNames(
    word,
    [...ids.keys()].flatMap((id) => [id, id.slice(id.indexOf("-") + 1)]),
  );
  throw malformed({
    code: "unknown-target",
    subject: word,
    message: `expected a target of this tree, found ${quoted(word)}`,
    hint: didYouMean([...new Set(guesses)]) || "list the targets with: stagewright graph",
  });
}

/** Resolves each word; the ids come sorted and each once. The first word without a meaning is refused. */
export function resolveTargets(
  ids: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  words: readonly string[],
): readonly string[] {
  return [...new Set(words.map((word) => resolveTarget(ids, word)))].sort(compareText);
}
