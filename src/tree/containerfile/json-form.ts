import { skipSpace } from "./space.js";

/**
 * A JSON array of strings; `not-strings` for an array that holds something else, which BuildKit refuses; `not-json` for
 * anything else, which it reads as the shell form without a word.
 */
export function parseJsonForm(text: string): readonly string[] | "not-json" | "not-strings" {
  const start = skipSpace(text, 0);
  if (text.charAt(start) !== "[") return "not-json";
  let value: unknown;
  try {
    value = JSON.parse(text.slice(start));
  } catch {
    return "not-json";
  }
  if (!Array.isArray(value)) return "not-json";
  return value.every((item) => typeof item === "string") ? value.map(replaceLoneSurrogates) : "not-strings";
}

/** Go's decoder gives U+FFFD for half a surrogate pair, which has no form in UTF-8. */
function replaceLoneSurrogates(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}
