export { JobRunner } from "./native/jobs/job-runner.js";
export { plainError } from "./native/jobs/job.js";
export type { Reply as WorkerReply, Request as WorkerRequest } from "./native/jobs/job.js";
export { WorkerPool } from "./native/jobs/worker-pool.js";
export { NativeEngine } from "./native/native-engine.js";
export { toolEnvironment } from "./native/sandbox/system.js";
export { CacheLocks } from "./native/store/cache-locks.js";
export { LayerStore } from "./native/store/layer-store.js";
export { Store, openStore } from "./native/store/store.js";
