// npm run demo: builds the tree's own bootstrap targets from the seed up and checks their digests.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { runHere } from "./run.mjs";
import { root, setup } from "./setup.mjs";

setup({ run: true });
const command = (...args) => [process.execPath, "dist/cli/main.js", ...args];
const targets = ["bootstrap-stage0"];

/** Steps in their order; the first that fails ends the demo with its status. */
const steps = [
  [process.execPath, "scripts/build.mjs"],
  command("build", ...targets),
  command("digests", "--verify", ...targets),
];
for (const step of steps) {
  const status = await runHere(step);
  if (status !== 0) {
    process.stderr.write("demo: stopped; `node dist/cli/main.js doctor` shows what this machine lacks\n");
    process.exit(status);
  }
}
for (const target of targets) {
  const layout = join(root, "out", target);
  if (existsSync(layout)) process.stdout.write(`OCI layout: ${layout}\n`);
}
