export * from "./layer/index.js";
