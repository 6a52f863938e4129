import { spawn } from "node:child_process";
import { Worker } from "node:worker_threads";

import type { Channel, Workers } from "../base/index.js";

const keptOfStderr = 4000;

export const nodeWorkers: Workers = {
  startThread(module) {
    const worker = new Worker(module);
    let failure: string | undefined;
    worker.on("error", (error) => {
      failure = error.message;
    });
    return {
      send: (message) => {
        worker.postMessage(message);
      },
      onMessage: (receive) => worker.on("message", receive),
      onEnd: (ended) =>
        worker.on("exit", (code) => {
          ended(failure ?? `the thread ended with status ${String(code)}`);
        }),
      terminate: () => void worker.terminate(),
    };
  },

  startProcess(program, args, env): Channel {
    // A group of its own: Ctrl-C on the terminal reaches us alone, and we end the child.
    const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true });
    let said = "";
    let failure: string | undefined;
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-keptOfStderr);
    });
    child.on("error", (error) => {
      failure = error.message;
    });
    return {
      send: (message) => {
        if (child.connected) child.send(message as object);
      },
      onMessage: (receive) => child.on("message", receive),
      onEnd: (ended) => {
        child.on("close", (status, signal) => {
          ended([failure ?? `${program} ended with ${signal ?? `status ${String(status)}`}`, said.trim()].join(": "));
        });
      },
      terminate: () => {
        child.kill("SIGKILL");
      },
    };
  },
};
