import { quoted, type Position } from "../../tree/index.js";
import { isFileName } from "./paths.js";
import { refuse, type PlanContext } from "./plan-context.js";

/** The word of a heredoc becomes a path: a `..` in it would reach files beside the one that is meant. */
export function checkHeredocName(plan: PlanContext, name: string, position: Position): void {
  if (isFileName(name)) return;
  throw refuse(plan, position, {
    code: "bad-heredoc-name",
    message: `expected a heredoc word that can name a file, found ${quoted(name)}`,
    hint: "Use a word without slashes.",
  });
}
