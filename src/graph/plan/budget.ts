import { limits } from "../../base/index.js";

/**
 * A cap on all text that one Containerfile makes. Without it a few kilobytes could ask for terabytes: `ENV A=$A$A`
 * doubles at each line, and every RUN repeats the whole environment.
 */
export interface Budget {
  /** Counts `characters`, and says whether the cap still holds. */
  spend(characters: number): boolean;
}

export function startBudget(): Budget {
  let spent = 0;
  return {
    spend(characters) {
      spent += characters;
      return spent <= limits.planSize;
    },
  };
}
