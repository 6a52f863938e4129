import { compareText } from "../base/index.js";

/** The stages of a tree, lowest first: the names of the folders under `packages/`. */
export const stageNames = ["bootstrap", "core", "pallet", "user"] as const;

export type StageName = (typeof stageNames)[number];

export function isStageName(text: string): text is StageName {
  return (stageNames as readonly string[]).includes(text);
}

// A path component of an image name (OCI distribution specification), since a target is an image.
const packageNameForm = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;

/** Whether a text can be the name of a package or subpackage: a path component of an image name, 128 characters at most. */
export function isPackageName(text: string): boolean {
  return text.length <= 128 && packageNameForm.test(text);
}

/** `STAGE-NAME`, the id of a target. */
export function targetId(stage: StageName, name: string): string {
  return `${stage}-${name}`;
}

/** Stage and name of a `STAGE-NAME`, or undefined when the text is no such id. */
export function parseTargetId(text: string): { readonly stage: StageName; readonly name: string } | undefined {
  const dash = text.indexOf("-");
  const stage = text.slice(0, Math.max(dash, 0));
  const name = text.slice(dash + 1);
  return isStageName(stage) && isPackageName(name) ? { stage, name } : undefined;
}

const longestGuess = 64;

/**
 * The candidates that a person may have meant by `text`: at most three, nearest first, within a third of its length in
 * edits. Texts longer than 64 characters get no guess, so the work for one text is bounded.
 */
export function nearestNames(text: string, candidates: Iterable<string>): readonly string[] {
  if (text.length > longestGuess) return [];
  const limit = Math.max(1, Math.min(4, Math.floor(text.length / 3)));
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of candidates) {
    if (Math.abs(name.length - text.length) > limit || name.length > longestGuess) continue;
    const distance = editDistance(text, name, limit);
    if (distance <= limit) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance || compareText(a.name, b.name));
  return near.slice(0, 3).map((guess) => guess.name);
}

/** Optimal string alignment distance, or a number above `limit` as soon as it is known to be above. */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const change = (last[column - 1] ?? 0) + (same ? 0 : 1);
      const cost = Math.min(change, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const best = swapped ? Math.min(cost, (beforeLast[column - 2] ?? 0) + 1) : cost;
      current.push(best);
      least = Math.min(least, best);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? limit + 1;
}

/** `did you mean A, B or C?`, or an empty text without guesses. */
export function didYouMean(guesses: readonly string[]): string {
  if (guesses.length === 0) return "";
  const last = guesses[guesses.length - 1] ?? "";
  return guesses.length === 1 ? `did you mean ${last}?` : `did you mean ${guesses.slice(0, -1).join(", ")} or ${last}?`;
}
