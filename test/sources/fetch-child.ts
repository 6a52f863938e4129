/** A process that fetches one file: `STORE-FOLDER URL SHA256`. Bundled and started by store-processes.test.ts. */
import { makeHarness, requestFor } from "./fixture.js";

const [folder = "", url = "", sha256 = ""] = process.argv.slice(2);
const harness = makeHarness({ folder });
const outcome = await harness.fetchOne({ ...requestFor("", [url]), sha256 });
process.stdout.write(outcome.kind === "fetched" ? outcome.state : outcome.error.message);
await harness.effects.http.close();
