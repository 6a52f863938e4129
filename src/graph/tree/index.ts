export * from "./order.js";
export * from "./read-uses.js";
export * from "./resolve-target.js";
export * from "./target.js";
export * from "./tree-graph.js";
export * from "./tree-image.js";
export * from "./tree-package.js";
export * from "./versions.js";
