import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { openMachine } from "../app/index.js";
import type { Machine } from "../app/index.js";
import { shown, type Terminal } from "./terminal.js";

/**
 * The machine of this process. The workers' module lies at the root of dist/, one level above this bundle's own folder.
 */
export function thisMachine(terminal: Terminal): Machine {
  return openMachine({
    environment: process.env,
    uid: process.getuid?.() ?? 0,
    arch: process.arch,
    cores: availableParallelism(),
    node: process.execPath,
    workerModule: fileURLToPath(new URL("../worker.js", import.meta.url)),
    currentFolder: process.cwd(),
    log: {
      info: (message) => {
        terminal.note(shown(message));
      },
      warn: (message) => {
        terminal.note(`${terminal.paint("yellow", "warning")}: ${shown(message)}`);
      },
    },
  });
}
