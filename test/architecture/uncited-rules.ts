/** Rules of docs/spec that nothing cites yet. The list may only shrink: a new rule comes with the test that holds it. */
export const uncitedRules: readonly string[] = [];
