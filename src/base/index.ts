export * from "./bytes.js";
export * from "./digest.js";
export * from "./errors.js";
export * from "./json.js";
export * from "./limits.js";
export * from "./ports.js";
