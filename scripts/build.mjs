// Makes dist/: one bundle for the command, with each command a chunk that is loaded when it is used, and one for workers.
import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

import { buildWasm } from "./build-wasm.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
await buildWasm();

// Made aside and put in place whole: tests that run the old one keep it, and two builds at once do not mix.
const fresh = await mkdtemp("dist-");
const old = `${fresh}-old`;
// CommonJS dependencies call require() for Node's own modules.
const requireForCommonJs =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';
try {
  await build({
    entryPoints: { "cli/main": "src/cli/main.ts", worker: "src/app/workers/worker-main.ts" },
    outdir: fresh,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    platform: "node",
    target: "node20",
    format: "esm",
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    banner: { js: requireForCommonJs },
  });
  await chmod(fresh, 0o755);
  await chmod(`${fresh}/cli/main.js`, 0o755);
  await rename("dist", old).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(fresh, "dist");
} finally {
  await rm(fresh, { recursive: true, force: true });
  await rm(old, { recursive: true, force: true });
}
