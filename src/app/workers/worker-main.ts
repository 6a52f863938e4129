/**
 * The other side of the engine's workers: a thread (file steps, compression), or a process in namespaces of its own
 * (RUN). Process 1 of that namespace is a shell that ends with it: then everything that it started or mounted is gone.
 */
import { parentPort } from "node:worker_threads";

import { toolEnvironment } from "../../engines/index.js";
import type { WorkerReply, WorkerRequest } from "../../engines/index.js";
import { JobRunner, LayerStore, Store, plainError } from "../../engines/index.js";
import { StandardPipes, nodeClock, nodeFileSystem, nodeProcesses, nodeSockets } from "../../host/index.js";
import { createArchiveOpener } from "../../sources/index.js";
import type { WorkerSettings } from "./worker-settings.js";

const toolPath = toolEnvironment.PATH;

function send(reply: WorkerReply): void {
  if (parentPort !== null) parentPort.postMessage(reply);
  else process.send?.(reply);
}

async function createRunner(settings: WorkerSettings): Promise<JobRunner> {
  const processes = nodeProcesses(toolPath, settings.runtime === undefined ? undefined : StandardPipes.adopt());
  const uid = process.getuid?.() ?? 0;
  const { owner } = settings;
  const store = new Store(settings.store, { files: nodeFileSystem, clock: nodeClock, uid, owner });
  const runtime = settings.runtime ?? ["false"];
  const mountMemory = async (folder: string): Promise<void> => {
    const mounted = await processes.run("mount", ["-t", "tmpfs", "tmpfs", folder], { env: toolEnvironment });
    if (mounted.status !== 0) throw new Error(mounted.stderr.toString("utf8"));
  };
  // Control groups of the machine are none of a build's business, and crun refuses the hybrid hierarchy.
  if (settings.hideControlGroups) await mountMemory("/sys/fs/cgroup");
  const privateFolder = store.temporary("private");
  if (settings.runtime !== undefined) {
    nodeFileSystem.mkdirSync(privateFolder, { mode: 0o700 });
    await mountMemory(privateFolder);
    nodeFileSystem.chmodSync(privateFolder, 0o700); // as an option of the mount a RUN would see it
  }
  return new JobRunner({
    layers: new LayerStore(store),
    processes,
    archives: createArchiveOpener(
      { fileSystem: nodeFileSystem, processes },
      { temporaryFolder: () => store.temporaryFolder() },
    ),
    inUserNamespace: settings.inUserNamespace,
    rights: settings.inUserNamespace ? { files: nodeFileSystem, clock: nodeClock, sockets: nodeSockets } : undefined,
    privateFolder,
    runtime,
  });
}

let runner: Promise<JobRunner> | undefined;

async function receive(message: WorkerRequest | WorkerSettings): Promise<void> {
  if ("store" in message) {
    runner = createRunner(message);
    runner.catch(() => undefined); // reported with the first job
    return;
  }
  const { id, job } = message;
  try {
    if (runner === undefined) throw new Error("a job came before the settings");
    const result = await (
      await runner
    ).run(job, (chunk) => {
      send({ id, type: "output", data: chunk.toString("latin1") });
    });
    send({ id, type: "result", result });
  } catch (thrown) {
    send({ id, type: "error", error: plainError(thrown) });
  }
}

if (parentPort !== null) {
  parentPort.on("message", (message: WorkerRequest) => void receive(message));
} else {
  process.on("message", (message: WorkerRequest) => void receive(message));
  process.on("disconnect", () => process.exit(0));
}
