import { limits, malformed } from "../../base/index.js";

/**
 * How much expansion may still cost, in characters read and written. Without it a few lines of `ENV A=$A$A` grow without
 * bound; share one among all words of a file.
 */
export interface ExpansionBudget {
  /** @throws malformed `expansion-too-large` when nothing is left. */
  spend(characters: number): void;
}

/** A budget of {@link limits.expansionWork}; `subject` (a file, with line and column) is blamed when it runs out. */
export function createExpansionBudget(subject?: string): ExpansionBudget {
  let left: number = limits.expansionWork;
  return {
    spend(characters) {
      left -= characters;
      if (left >= 0) return;
      throw malformed({
        code: "expansion-too-large",
        subject,
        message: `expected variables to expand to less than ${limits.expansionWork} characters, found more`,
        hint: "Look for a variable that is made of itself several times, or for a very long pattern.",
      });
    },
  };
}
