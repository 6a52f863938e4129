import type { ExpansionBudget } from "./expansion-budget.js";

/** One element of a pattern: a character, any one character (`?`), or any number of them (`*`). */
interface PatternItem {
  readonly kind: "character" | "one" | "any";
  /** Empty unless the kind is `character`. */
  readonly character: string;
}

/** A pattern of `${X#…}`, `${X%…}` and `${X/…/…}`: only `*` and `?` are special, neither stands for a newline. */
export type ShellPattern = readonly PatternItem[];

/** @returns undefined when a backslash stands before a character that needs none, or at the end. */
export function parseShellPattern(text: string): ShellPattern | undefined {
  const items: PatternItem[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at] ?? "";
    if (character === "*") items.push({ kind: "any", character: "" });
    else if (character === "?") items.push({ kind: "one", character: "" });
    else {
      if (character === "\\") {
        character = characters[++at] ?? "";
        if (character === "" || !"}/*?\\".includes(character)) return undefined;
        // After `\}` and `\/` the character is read anew, and these two are not special.
      }
      items.push({ kind: "character", character });
    }
  }
  return items;
}

/** `${X#p}`, and with `greedy` `${X##p}`: `value` without the shortest or longest prefix that matches. */
export function removePrefix(value: string, pattern: ShellPattern, greedy: boolean, budget: ExpansionBudget): string {
  const characters = Array.from(value);
  const end = matchEnds(characters, pattern, greedy, budget)[0] ?? -1;
  return end < 0 ? value : characters.slice(end).join("");
}

/** `${X%p}`, and with `greedy` `${X%%p}`: `value` without the shortest or longest suffix that matches. */
export function removeSuffix(value: string, pattern: ShellPattern, greedy: boolean, budget: ExpansionBudget): string {
  const characters = Array.from(value).reverse();
  const end = matchEnds(characters, [...pattern].reverse(), greedy, budget)[0] ?? -1;
  return end < 0 ? value : characters.slice(end).reverse().join("");
}

/** `${X/p/r}`: the first and longest match replaced. */
export function replaceFirst(
  value: string,
  pattern: ShellPattern,
  replacement: string,
  budget: ExpansionBudget,
): string {
  const characters = Array.from(value);
  const ends = matchEnds(characters, pattern, true, budget);
  const start = ends.findIndex((end) => end >= 0);
  if (start < 0) return value;
  const after = characters.slice(ends[start]);
  return `${characters.slice(0, start).join("")}${replacement}${after.join("")}`;
}

/**
 * `${X//p/r}`: every match replaced. Here, and only here, BuildKit reads `$` in the replacement as Go's `regexp` does:
 * `$0` is the match, `$$` a dollar, any other name empty.
 */
export function replaceAll(value: string, pattern: ShellPattern, replacement: string, budget: ExpansionBudget): string {
  const characters = Array.from(value);
  const ends = matchEnds(characters, pattern, true, budget);
  const pieces: string[] = [];
  let copied = 0;
  let at = 0;
  while (at <= characters.length) {
    const end = ends[at] ?? -1;
    if (end < 0) {
      at++;
      continue;
    }
    pieces.push(characters.slice(copied, at).join(""));
    // An empty match that touches the match before it does not count.
    if (end > copied || at === 0) {
      const replaced = expandTemplate(replacement, characters.slice(at, end).join(""));
      budget.spend(replaced.length);
      pieces.push(replaced);
    }
    copied = end;
    at = end > at ? end : at + 1;
  }
  pieces.push(characters.slice(copied).join(""));
  return pieces.join("");
}

function expandTemplate(template: string, match: string): string {
  if (!template.includes("$")) return template;
  return template.replace(
    /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu,
    (whole, bare?: string, braced?: string) => {
      const name = bare ?? braced;
      if (name === undefined) return whole.slice(1);
      return /^0+$/.test(name) ? match : "";
    },
  );
}

/**
 * For each index of `characters`, the end of the match that begins there, or -1. Among several, the one that a
 * backtracking matcher would find first; but the work is the product of the two lengths, whatever the pattern.
 */
function matchEnds(
  characters: readonly string[],
  pattern: ShellPattern,
  greedy: boolean,
  budget: ExpansionBudget,
): Int32Array {
  const length = characters.length;
  budget.spend((pattern.length + 1) * (length + 1));
  let after = Int32Array.from({ length: length + 1 }, (_, index) => index);
  for (const item of [...pattern].reverse()) {
    const ends = new Int32Array(length + 1).fill(-1);
    for (let at = length; at >= 0; at--) {
      const character = characters[at];
      const longer = at < length && character !== "\n" ? (ends[at + 1] ?? -1) : -1;
      if (item.kind === "any") ends[at] = firstMatch(greedy, longer, after[at] ?? -1);
      else if (at < length && (item.kind === "one" ? character !== "\n" : character === item.character)) {
        ends[at] = after[at + 1] ?? -1;
      }
    }
    after = ends;
  }
  return after;
}

function firstMatch(greedy: boolean, longer: number, shorter: number): number {
  if (greedy) return longer >= 0 ? longer : shorter;
  return shorter >= 0 ? shorter : longer;
}
