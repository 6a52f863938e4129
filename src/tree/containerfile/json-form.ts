import { skipSpace } from "./space.js";

/** Why a text is no exec form; each but `not-json` is a fault. */
export type NoJsonForm =
  /** Read as the shell form, without a word. */
  | "not-json"
  /** An array that holds something other than strings. */
  | "not-strings"
  /** An array and text after it: BuildKit 0.13 ignores the text, later ones read all of it as the shell form. */
  | "text-after-array";

/** What can follow the bracket of an array: a look that spares `RUN [ -e x ]` the price of an exception. */
const arrayStart = /^\[\s*(?:$|["\]{[tfn]|-?\d)/;
const longestStart = 100;

/** The strings of a JSON array, or what the text is instead. */
export function parseJsonForm(text: string): readonly string[] | NoJsonForm {
  const start = skipSpace(text, 0);
  if (text.charAt(start) !== "[") return "not-json";
  if (!arrayStart.test(text.slice(start, start + longestStart))) return "not-json";
  const end = endOfArray(text, start);
  if (end === undefined) return "not-json";
  const value = parseArray(text.slice(start, end));
  if (value === undefined) return "not-json";
  if (skipSpace(text, end) < text.length) return "text-after-array";
  return value.every((item) => typeof item === "string") ? value.map(replaceLoneSurrogates) : "not-strings";
}

function parseArray(json: string): readonly unknown[] | undefined {
  try {
    return JSON.parse(json) as unknown[];
  } catch {
    return undefined;
  }
}

/** Index after the bracket that closes the one at `start`. */
function endOfArray(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "[") depth++;
    else if (character === "]" && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Go's decoder gives U+FFFD for half a surrogate pair, which has no form in UTF-8. */
function replaceLoneSurrogates(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}
