// Makes dist/: one bundle for the command, with each command a chunk that is loaded when it is used, and one for workers.
import { chmod, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

if (existsSync("scripts/build-wasm.mjs")) {
  const { buildWasm } = await import("./build-wasm.mjs");
  await buildWasm();
}
await rm("dist", { recursive: true, force: true });
const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  logLevel: "warning",
  legalComments: "none",
  // CommonJS dependencies call require() for Node's own modules.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
};
await build({
  ...common,
  entryPoints: { "cli/main": "src/cli/main.ts", worker: "src/app/workers/worker-main.ts" },
  outdir: "dist",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  minifySyntax: true,
});
await chmod("dist/cli/main.js", 0o755);
