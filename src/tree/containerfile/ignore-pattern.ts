import { parsePathPattern, itemMatches, type PathItem } from "./path-pattern.js";

/** Elements of an ignore pattern: those of a path pattern, and what `**` and a bare `^` mean. */
type IgnoreItem =
  | PathItem
  /** `**` at the end: anything but a newline. */
  | { readonly kind: "rest" }
  /** `**`, and a slash after it, before something: nothing, or any folders with their slash. */
  | { readonly kind: "folders" }
  /** `^` outside brackets, where the pattern is no plain text: the start of the path. */
  | { readonly kind: "start" };

/** A pattern made ready, for the characters of a cleaned path. */
export type IgnorePattern = (path: string) => boolean;

/**
 * The pattern (without its exclamation mark) by the rules of moby/patternmatcher, or undefined where a bracket or escape
 * is not finished. That library compares plain text, and plain text with two stars at one end, as text, with the odd
 * results that this has (two stars and `foo` match whatever ends in `foo`); so does this.
 */
export function compileIgnorePattern(pattern: string): IgnorePattern | undefined {
  // Before a letter or digit a backslash has meanings of Go's regexp there: refused, since no one can mean them.
  if (parsePathPattern(pattern) === undefined || /\\[a-zA-Z0-9]/.test(pattern)) return undefined;
  const special = /[*?[\]\\]/;
  if (!special.test(pattern)) return (path) => path === pattern;
  const head = pattern.replace(/\*\*\/?$/, "");
  if (head !== pattern && head !== "" && !special.test(head)) {
    // The slash after the stars is dropped by cleaning, so the text ends where the stars begin.
    return (path) => path.startsWith(head);
  }
  const suffix = leadingStars(pattern);
  if (suffix !== undefined && !special.test(suffix)) return matchSuffix(suffix);
  const items = parseItems(pattern);
  return items === undefined ? undefined : (path) => run(items, Array.from(path));
}

/** What follows `**` at the start, its slash included. */
function leadingStars(pattern: string): string | undefined {
  return pattern.startsWith("**") ? pattern.slice("**".length) : undefined;
}

function matchSuffix(suffix: string): IgnorePattern {
  return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
}

/** Cuts the pattern at each `**`; what is between is a path pattern of its own. */
function parseItems(pattern: string): readonly IgnoreItem[] | undefined {
  const items: IgnoreItem[] = [];
  const parsed = parsePathPattern(pattern);
  if (parsed === undefined) return undefined;
  for (let at = 0; at < parsed.length; at++) {
    const item = parsed[at];
    if (item === undefined) break;
    if (item.kind === "star" && parsed[at + 1]?.kind === "star") {
      at++;
      if (isCharacter(parsed[at + 1], "/")) at++;
      items.push({ kind: at + 1 >= parsed.length ? "rest" : "folders" });
    } else items.push(isCharacter(item, "^") && !item.escaped ? { kind: "start" } : item);
  }
  return items;
}

function isCharacter(
  item: PathItem | undefined,
  character: string,
): item is Extract<PathItem, { readonly kind: "character" }> {
  return item?.kind === "character" && item.character === character;
}

/**
 * Follows all ways through the pattern at once, so that the work is the product of the two lengths: a backtracking
 * matcher would need exponential time where double stars follow each other.
 */
function run(items: readonly IgnoreItem[], characters: readonly string[]): boolean {
  let states = new Uint8Array(items.length + 1);
  // Within "folders", 2 marks that characters were passed and a slash must close them.
  states[0] = 1;
  for (let at = 0; at <= characters.length; at++) {
    passEmpty(items, states, at);
    if (at === characters.length) break;
    states = step(items, states, characters[at] ?? "");
  }
  return states[items.length] === 1;
}

/** Elements that may stand for nothing are passed. */
function passEmpty(items: readonly IgnoreItem[], states: Uint8Array, at: number): void {
  items.forEach((item, index) => {
    if (((states[index] ?? 0) & 1) === 0) return;
    const empty =
      item.kind === "star" || item.kind === "rest" || item.kind === "folders" || (item.kind === "start" && at === 0);
    if (empty) states[index + 1] = (states[index + 1] ?? 0) | 1;
  });
}

function step(items: readonly IgnoreItem[], states: Uint8Array, character: string): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(items.length + 1);
  items.forEach((item, index) => {
    const state = states[index] ?? 0;
    if (state === 0) return;
    if (item.kind === "folders") {
      if (character === "\n") return;
      next[index] = (next[index] ?? 0) | 2;
      if (character === "/") next[index + 1] = (next[index + 1] ?? 0) | 1;
    } else if (item.kind === "rest" || item.kind === "star") {
      if (item.kind === "rest" ? character !== "\n" : character !== "/") next[index] = (next[index] ?? 0) | 1;
    } else if (item.kind !== "start" && itemMatches(item, character)) {
      next[index + 1] = (next[index + 1] ?? 0) | 1;
    }
  });
  return next;
}
