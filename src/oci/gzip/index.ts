export * from "./canonical-gzip.js";
export * from "./go-gzip-encoder.js";
export * from "./layer-gzip-encoder.js";
