import type { Directives } from "./ast.js";
import type { ExpansionBudget } from "./expansion-budget.js";
import { createExpansionBudget } from "./expansion-budget.js";
import { WordExpander } from "./word-expander.js";

/** The value of a variable, or undefined where it is not set. */
export type VariableLookup = (name: string) => string | undefined;

export interface ExpansionContext {
  /** What a fault is blamed on: file, line and column. */
  readonly subject?: string;
  /** Shared by the words of a file; without it each word has its own. */
  readonly budget?: ExpansionBudget;
}

/** Without one of these a word stands for itself. */
const special = /["'\\`$\ufeff]/;

/**
 * Expands one word of an instruction as BuildKit does: quotes are taken away, the escape character makes the next
 * character literal, `$X` and `${X…}` are replaced. Blanks stay.
 * @throws malformed `bad-substitution`, `unmatched-quote`, `variable-required` (`${X?}`), `substitution-too-deep`,
 *   `expansion-too-large`.
 */
export function expandWord(
  word: string,
  lookup: VariableLookup,
  escape: Directives["escape"],
  context: ExpansionContext = {},
): string {
  if (!special.test(word)) return word;
  return expander(word, lookup, escape, context).text();
}

/**
 * As {@link expandWord}, then cut at the blanks that no quote and no escape character keeps: for EXPOSE.
 * @throws as expandWord.
 */
export function expandWords(
  word: string,
  lookup: VariableLookup,
  escape: Directives["escape"],
  context: ExpansionContext = {},
): readonly string[] {
  return expander(word, lookup, escape, context).words();
}

/**
 * Expands the body of a heredoc of COPY or ADD: quotes are ordinary characters, and the backslash, whatever the escape
 * directive says, is taken away and makes any next character literal (`\n` gives `n`).
 * @throws as {@link expandWord}, but for `unmatched-quote`.
 */
export function expandHeredoc(body: string, lookup: VariableLookup, context: ExpansionContext = {}): string {
  const budget = context.budget ?? createExpansionBudget(context.subject);
  return new WordExpander(body, { lookup, escape: "\\", budget, subject: context.subject, plainQuotes: true }).text();
}

function expander(
  word: string,
  lookup: VariableLookup,
  escape: Directives["escape"],
  context: ExpansionContext,
): WordExpander {
  const budget = context.budget ?? createExpansionBudget(context.subject);
  return new WordExpander(word, { lookup, escape, budget, subject: context.subject });
}
