/** Rule EN-34: Ctrl-C. */
import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  Workspace,
  build,
  digestsOf,
  executed,
  mountsAt,
  processesAt,
  startBuild,
  until,
  type BuildPlace,
  type Finished,
  type Running,
} from "./program.js";
import { packageText, shellPackage, writeText, writeTree, type TreeText } from "./small-tree.js";

let workspace: Workspace;
let server: Server | undefined;

beforeAll(() => {
  workspace = new Workspace("interrupt");
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});
afterAll(() => workspace.remove());

function newPlace(text: TreeText): BuildPlace {
  const tree = writeTree(workspace.fresh("tree"), text);
  return { tree, store: workspace.fresh("store"), output: join(workspace.fresh("out"), "out") };
}

async function interrupt({ child, done }: Running): Promise<Finished> {
  const begun = Date.now();
  child.kill("SIGINT");
  const finished = await done;
  expect(Date.now() - begun, "milliseconds until it ended").toBeLessThan(2000);
  expect(finished.status, finished.stderr).toBe(130);
  expect(finished.stderr).not.toContain("defect");
  expect(processesAt(workspace.folder)).toEqual([]);
  expect(mountsAt(workspace.folder)).toEqual([]);
  return finished;
}

describe("Ctrl-C", () => {
  it("ends a download", async () => {
    server = createServer((_, response) => response.writeHead(200, { "content-length": 1000 }).write("begun"));
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const source = `[sources.file]\nhash = "${"0".repeat(64)}"\nmirrors = ["http://127.0.0.1:${String(port)}/file"]\n`;
    const place = newPlace(packageText("core", "net", "FROM scratch\nCOPY --from=fetch . /\n", source));
    const running = startBuild(workspace, place);
    await until(
      "a connection",
      () =>
        fs.existsSync(join(place.store, "sources/partial")) &&
        fs.readdirSync(join(place.store, "sources/partial")).length > 0,
    );
    await interrupt(running);
  });

  it("ends a RUN; what was finished is used the next time", async () => {
    const file = (seconds: string) =>
      `FROM stagex/core-shell\nRUN --network=none echo 1 > /one\nRUN --network=none echo begun; sleep ${seconds}\n`;
    const place = newPlace({ ...shellPackage, ...packageText("core", "long", file("100")) });
    const running = startBuild(workspace, place);
    const log = join(place.store, "logs/core-long.log");
    await until("the RUN", () => fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("begun"));
    expect(processesAt(workspace.folder).length).toBeGreaterThan(1);
    await interrupt(running);
    expect(fs.readdirSync(join(place.store, "active"))).toEqual([]);
    writeText(place.tree, packageText("core", "long", file("0")));
    const again = await build(workspace, place);
    expect(executed(again)).toEqual(["core-long:3"]);
  });

  it("ends the compression of a large layer", async () => {
    const file = "FROM scratch\nCOPY large /\n";
    const place = newPlace(packageText("core", "large", file));
    const noise = Buffer.alloc(96 << 20);
    for (let at = 0, state = 1; at < noise.length; at += 4)
      noise.writeUInt32LE((state = (Math.imul(state, 1_664_525) + 1) >>> 0), at);
    fs.writeFileSync(join(place.tree, "packages/core/large/large"), noise);
    const running = startBuild(workspace, place);
    const compressing = () =>
      fs.existsSync(join(place.store, "tmp")) &&
      fs
        .readdirSync(join(place.store, "tmp"), { recursive: true, encoding: "utf8" })
        .some((name) => name.includes("gzip-"));
    await until("compression", compressing, 20_000);
    await interrupt(running);
    const again = await build(workspace, place);
    expect(executed(again)).toEqual([]);
    expect(Object.keys(digestsOf(again))).toEqual(["core-large"]);
  });

  it("ends the wait for a cache that another build has locked", async () => {
    const file = (command: string) =>
      `FROM stagex/core-shell\nRUN --network=none --mount=type=cache,sharing=locked,target=/cache ${command}\n`;
    const first = newPlace({ ...shellPackage, ...packageText("core", "lock", file("echo begun; sleep 100")) });
    const holder = startBuild(workspace, first);
    const log = join(first.store, "logs/core-lock.log");
    await until("the first RUN", () => fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("begun"));
    const second = {
      ...newPlace({ ...shellPackage, ...packageText("core", "lock", file("true")) }),
      store: first.store,
    };
    const waiting = startBuild(workspace, second);
    await until(
      "the second build",
      () => fs.readdirSync(join(first.store, "active")).filter((name) => name.startsWith("build-")).length === 2,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    const begun = Date.now();
    waiting.child.kill("SIGINT");
    expect((await waiting.done).status).toBe(130);
    expect(Date.now() - begun).toBeLessThan(2000);
    await interrupt(holder);
  });
});
