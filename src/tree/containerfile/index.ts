export * from "./ast.js";
export { checkContainerfile, parseContainerfile, type CheckedContainerfile } from "./parser.js";
export { renderCaret } from "./faults.js";
export { flagValue, flagValues, isFlagSet } from "./flags.js";
export { runProgram, type RunProgram } from "./run-instruction.js";
export { mountSource, parseRunMount, type RunMountOptions } from "./run-mount.js";
export { expandHeredoc, expandWord, expandWords, type ExpansionContext, type VariableLookup } from "./expand.js";
export { createExpansionBudget, type ExpansionBudget } from "./expansion-budget.js";
