export * from "./lint-package.js";
export * from "./rule.js";
