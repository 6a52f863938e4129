export * from "./build-image.js";
export * from "./build-tree.js";
export * from "./engine-factory.js";
export * from "./ignore-file.js";
export * from "./layout-image.js";
