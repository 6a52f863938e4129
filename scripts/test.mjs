// npm test: everything that the tests need, then the tests. Arguments go to vitest: npm test -- test/parity
import { runHere, tool } from "./run.mjs";
import { setup } from "./setup.mjs";

setup({ run: true, test: true });
const built = await runHere([process.execPath, "scripts/build.mjs"]);
process.exitCode = built === 0 ? await runHere(tool("vitest/vitest.mjs", "run", ...process.argv.slice(2))) : built;
