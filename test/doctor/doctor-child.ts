/** Runs `doctor` as whoever this process is and prints the report: `node child.mjs STORE WORKER`. */
import { openMachine } from "../../src/app/machine.js";
import { runDoctor } from "../../src/app/doctor.js";

const [store, workerModule = ""] = process.argv.slice(2);
const machine = openMachine({
  environment: process.env,
  uid: process.getuid?.() ?? 0,
  arch: process.arch,
  cores: 1,
  node: process.execPath,
  workerModule,
  currentFolder: process.cwd(),
  log: { info: () => undefined, warn: () => undefined },
});
process.stdout.write(JSON.stringify(await runDoctor({ store }, machine)));
