export * from "./blob-source.js";
export * from "./read-image.js";
export * from "./read-layout.js";
export * from "./write-layout.js";
