export * from "./archive-opener.js";
export * from "./compression.js";
export * from "./fetch-settings.js";
export * from "./fetch-sources.js";
export * from "./mirror.js";
export * from "./place-sources.js";
export * from "./retry.js";
export * from "./store.js";
export { defaultTimeOuts, type TimeOuts } from "./transfer.js";
