import { didYouMean, nearestNames } from "../names.js";

/** `; did you mean X?` to end a message with, or nothing where none of `known` is near. */
export function suggestion(found: string, known: readonly string[]): string {
  const near = didYouMean(nearestNames(found, known));
  return near === "" ? "" : `; ${near}`;
}
