export { unpackLayer } from "./diff-id.js";
export type { UnpackedLayer } from "./diff-id.js";
export * from "./validate-image.js";
export * from "./validate-layout.js";
