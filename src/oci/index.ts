export * from "./gzip/index.js";
export * from "./image/index.js";
export * from "./layer/index.js";
export * from "./layout/index.js";
export * from "./validate/index.js";
