export * from "./definition.js";
export * from "./lint/index.js";
export * from "./plan/index.js";
export * from "./platform.js";
export * from "./tree/index.js";
export * from "./engine.js";
export * from "./engine-ports.js";
// Engines read contexts and sources by the patterns of the Containerfile, and know the tree folder only through here.
export { createIgnoreMatcher, createPathMatcher, type IgnoreMatcher, type IgnoreState } from "../tree/index.js";
