// Makes test/parity/answers.json, the expected.txt of each case and test/surroundings/expected.json again, with a real
// BuildKit. Without arguments it shows which environment variables it needs; see docs/spec/parity.md.
//   node tools/parity/make-answers.mjs [CASE… | surroundings]
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";
import { format, resolveConfig } from "prettier";

const here = dirname(fileURLToPath(import.meta.url));
const outfile = join(here, "../../node_modules/.cache/make-answers.mjs");
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [join(here, "answers-maker.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile,
});
const { main } = await import(pathToFileURL(outfile).href);
const repository = join(here, "../..");
process.exitCode = await main(repository, process.argv.slice(2), process.env);
for (const name of ["test/parity/answers.json", "test/surroundings/expected.json"]) {
  const file = join(repository, name);
  if (!existsSync(file)) continue;
  writeFileSync(file, await format(readFileSync(file, "utf8"), { ...(await resolveConfig(file)), filepath: file }));
}
