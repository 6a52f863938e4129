import { type ByteString, malformed } from "../../base/index.js";
import { quoted } from "../problem.js";
import { decodeName } from "./path-name.js";
import { itemMatches, parsePathPattern, type PathItem } from "./path-pattern.js";

/** A pattern made ready. The name is that of a file in an image or a context, `/` between components. */
export type PathMatcher = (name: ByteString) => boolean;

/**
 * Whether the whole of `name` matches `pattern` by the rules of Go's `filepath.Match`: `*` and `?` stand for anything but
 * `/`, `[a-z]` and `[^a-z]` for one character, a backslash makes the next character literal. The pattern is text, the
 * name bytes. The work is at most the product of the two lengths.
 * @throws malformed `bad-pattern`.
 */
export function matchPath(pattern: string, name: ByteString): boolean {
  return createPathMatcher(pattern)(name);
}

/** {@link matchPath} for many names. @throws malformed `bad-pattern`. */
export function createPathMatcher(pattern: string, subject?: string): PathMatcher {
  const items = parsePathPattern(pattern);
  if (items === undefined) throw badPattern(pattern, subject);
  const least = items.filter((item) => item.kind !== "star").length;
  return (name) => {
    const characters = Array.from(decodeName(name));
    return characters.length >= least && matches(items, characters);
  };
}

/** The error for a pattern with an unfinished bracket or escape. */
export function badPattern(pattern: string, subject?: string): Error {
  return malformed({
    code: "bad-pattern",
    subject,
    message: `expected a path pattern with every [ closed and a character after every backslash, found ${quoted(pattern)}`,
    hint: "Write a backslash before a bracket or a backslash that is meant literally.",
  });
}

/** Only the last star passed is ever tried anew: an earlier one can gain nothing that the later one cannot. */
function matches(items: readonly PathItem[], characters: readonly string[]): boolean {
  let item = 0;
  let at = 0;
  let starItem = -1;
  let starAt = 0;
  while (at < characters.length || item < items.length) {
    const current = items[item];
    const character = characters[at];
    if (current?.kind === "star") {
      starItem = item++;
      starAt = at;
    } else if (current !== undefined && character !== undefined && itemMatches(current, character)) {
      item++;
      at++;
    } else if (starItem >= 0 && starAt < characters.length && characters[starAt] !== "/") {
      item = starItem + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  return true;
}
