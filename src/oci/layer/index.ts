export * from "./entry.js";
export type { OpaqueEntry, ReadLayerEntry } from "./layer-indexer.js";
export * from "./order.js";
export { encodeTarHeader } from "./tar-header.js";
export type { Clamp, TarHeaderOptions } from "./tar-header.js";
export * from "./tar-index.js";
export type { TarSource } from "./tar-node.js";
export * from "./tar-writer.js";
