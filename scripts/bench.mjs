// npm run bench: the speed of issue 2's cases beside that of other programs, as ratios in one run; writes bench.json.
//   npm run bench -- [--runs N] [--only WORD] [--keep]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { runHere } from "./run.mjs";
import { root, setup } from "./setup.mjs";

setup({ run: true });
const status = await runHere([process.execPath, "scripts/build.mjs"]);
if (status !== 0) process.exit(status);
const { build } = await import("esbuild");
const outfile = join(root, "node_modules/.cache/bench.mjs");
mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
await build({
  entryPoints: [join(root, "tools/bench/main.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile,
});
const { main } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(root, process.argv.slice(2), process.env);
