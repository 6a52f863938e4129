/** The parity suite as an unprivileged user (PA-13): the same files, bundled, in a folder that he can read. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

import type { TestUser, Workspace } from "./program.js";
import { asUser } from "./program.js";
import { shareFolder } from "./small-tree.js";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface ParityOutcome {
  readonly tests: number;
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  readonly stderr: string;
}

/** @param environment for instance `PARITY_CASES` */
export async function runParityAs(
  user: TestUser,
  workspace: Workspace,
  environment: Readonly<Record<string, string>> = {},
): Promise<ParityOutcome> {
  const folder = join(workspace.folder, "test/parity");
  fs.cpSync(join(repository, "test/parity/cases"), join(folder, "cases"), { recursive: true });
  fs.copyFileSync(join(repository, "test/parity/answers.json"), join(folder, "answers.json"));
  const bundle = join(folder, "parity.mjs");
  const run = `import "./parity.test.ts"; import { closeEngines } from "./engine.ts"; import { runTests } from "vitest";`;
  await build({
    stdin: { contents: `${run} await runTests(); await closeEngines();`, resolveDir: join(repository, "test/parity") },
    outfile: bundle,
    ignoreAnnotations: true, // a test file is imported for its effects alone
    alias: { vitest: join(repository, "test/engine/tiny-vitest.ts") },
    ...{ bundle: true, platform: "node", target: "node20", format: "esm", logLevel: "silent" },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  shareFolder(workspace.folder);
  return await runBundle(bundle, user, { ...environment, TMPDIR: workspace.fresh("parity", user) });
}

async function runBundle(
  bundle: string,
  user: TestUser,
  environment: Readonly<Record<string, string>>,
): Promise<ParityOutcome> {
  const [program = "", ...args] = [...asUser(user), process.execPath, bundle];
  const env = { PATH: process.env["PATH"] ?? "", HOME: user.home, ...environment };
  const child = spawn(program, args, { cwd: environment["TMPDIR"] ?? "/", env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  const parsed = lines.map((line) => JSON.parse(line) as { name?: string; error?: string; tests?: number });
  const failures = parsed.flatMap(({ name, error }) => (name === undefined ? [] : [{ name, error: error ?? "" }]));
  return { tests: parsed.at(-1)?.tests ?? 0, failures, stderr };
}
