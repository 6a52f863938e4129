export * from "./definition.js";
export * from "./platform.js";
