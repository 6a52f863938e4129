// npm run check: types, lint, format and the architecture tests, two at a time.
import { runQuietly, tool } from "./run.mjs";
import { setup } from "./setup.mjs";

setup();
const { buildWasm } = await import("./build-wasm.mjs");
await buildWasm(); // a module that the type checker and the linter read

const lint = (name, ...paths) => [
  name,
  tool("eslint/bin/eslint.js", ...paths, "--cache", "--cache-location", `node_modules/.cache/eslint-${paths[0]}`),
];
// The longest first, so that the two lanes end together; lint is in two parts for the same reason.
const checks = [
  lint("lint src", "src"),
  lint("lint test", "test", "tools", "vitest.config.ts"),
  ["types", tool("typescript/bin/tsc", "-p", ".")],
  ["architecture", tool("vitest/vitest.mjs", "run", "test/architecture", "--no-isolate", "--maxWorkers=1")],
  ["format", tool("prettier/bin/prettier.cjs", "--check", "--log-level=warn", "--cache", ".")],
];

let failed = 0;
async function lane() {
  for (let check = checks.shift(); check !== undefined; check = checks.shift()) {
    const [name, command] = check;
    const { status, output, seconds } = await runQuietly(command);
    process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${name.padEnd(14)} ${seconds.toFixed(1)} s\n`);
    if (status !== 0) process.stdout.write(`${output.trimEnd()}\n\n`);
    failed += status === 0 ? 0 : 1;
  }
}
await Promise.all([lane(), lane()]);
process.exitCode = failed === 0 ? 0 : 1;
