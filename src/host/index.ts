export * from "./clock.js";
export * from "./file-system.js";
export * from "./lazy-http.js";
export * from "./pipes.js";
export * from "./processes.js";
export * from "./sockets.js";
export * from "./workers.js";
