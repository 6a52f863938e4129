/** Before any test: the WebAssembly module that sources import, and `dist/`, which tests of the command run. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files that decide what is in dist/. */
const inputs = ["src", "scripts", "package-lock.json"];

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith(".test.ts") ? 0 : stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isCurrent(): boolean {
  const made = ["dist/worker.js", "dist/cli/main.js"].map((path) => join(root, path));
  if (!existsSync(join(root, "src/oci/gzip/go-flate.wasm.ts")) || !made.every((path) => existsSync(path))) return false;
  const oldest = Math.min(...made.map((path) => statSync(path).mtimeMs));
  return inputs.every((input) => newest(join(root, input)) <= oldest);
}

/**
 * A build that fails takes dist/ away: tests of an old program would say nothing, and those of the sources still run.
 * `npm test` builds first and stops there.
 */
export default function setup(): void {
  if (isCurrent()) return;
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: root, encoding: "utf8" });
  if (status === 0) return;
  rmSync(join(root, "dist"), { recursive: true, force: true });
  process.stderr.write(`scripts/build.mjs FAILED; tests of the command will fail:\n${stderr}\n`);
}
