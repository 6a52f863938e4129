export * from "./containerfile/index.js";
