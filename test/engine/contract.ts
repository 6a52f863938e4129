/** What every engine must do (src/graph/engine.ts), as one suite that each of them passes but for a written list of skips. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { BuildEvent, BuildOutput, Engine } from "../../src/graph/index.js";
import { EngineFolders, buildText, fileIn, namesIn, tarOf, thrownBy, type TextBuild } from "./in-process.js";

export interface EngineUnderTest {
  readonly name: string;
  /** Opens an engine on a store of its own below the folder. */
  open(folder: string): Promise<{ readonly engine: Engine; close(): Promise<void> }>;
  /** Titles of tests that this engine cannot pass, each with the reason. */
  readonly skips: Readonly<Record<string, string>>;
}

const bin = "--mount=from=tools,target=/bin";
const twoStages = `FROM scratch AS build
COPY data /data
RUN ${bin} cat /data /data > /twice
RUN ${bin} echo only here > /other
FROM scratch
COPY --from=build /twice /
WORKDIR /work
`;

const sha256 = (data: Uint8Array) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const digestsOf = ({ layers }: BuildOutput) => layers.map(({ digest }) => digest);
const states = ({ steps }: BuildOutput) => steps.map(({ state }) => state);

export function engineContract(subject: EngineUnderTest): void {
  const titles = new Set<string>();
  const test = (title: string, work: () => Promise<void>): void => {
    titles.add(title);
    const reason = subject.skips[title];
    if (reason === undefined) it(title, work);
    else it.skip(`${title} (${reason})`, work);
  };

  describe(`the contract of engines: ${subject.name}`, () => {
    let folders: EngineFolders;
    let engine: Engine;
    let opened: Awaited<ReturnType<EngineUnderTest["open"]>>;

    beforeAll(async () => {
      folders = new EngineFolders();
      opened = await subject.open(folders.fresh("store"));
      engine = opened.engine;
    });
    afterAll(async () => {
      await opened.close();
      folders.remove();
    });

    const context = (text = "data\n"): string => {
      const folder = folders.fresh("context");
      fs.writeFileSync(join(folder, "data"), text);
      return folder;
    };
    const build = (text: string, more: Partial<TextBuild> = {}, onEvent?: (event: BuildEvent) => void) =>
      buildText(engine, { text, contexts: { tools: folders.tools }, ...more }, onEvent);

    test("gives layers whose digests, sizes and diff ids are those of their bytes", async () => {
      const { layers } = await build(twoStages, { context: context() });
      expect(layers).toHaveLength(2);
      for (const layer of layers) {
        const blob = fs.readFileSync(engine.blobPath(layer));
        expect([sha256(blob), blob.length]).toEqual([layer.digest, layer.size]);
        expect(sha256(tarOf(engine, layer))).toBe(layer.diffId);
      }
      expect(fileIn(engine, layers[0], "twice")).toBe("data\ndata\n");
      expect(namesIn(engine, layers[1])).toEqual(["work/"]);
    });

    test("gives no layer for an image without steps", async () => {
      expect(await build("FROM scratch\nENV A=1\n")).toEqual({ layers: [], steps: [] });
    });

    test("reports each step with its line, and reuses all of them the second time", async () => {
      const own = context("reported\n");
      const first = await build(twoStages, { context: own });
      expect(first.steps.map(({ line, text, network }) => [line, text.split(" ")[0], network])).toEqual([
        [2, "COPY", "none"],
        [3, "RUN", "none"],
        [4, "RUN", "none"],
        [6, "COPY", "none"],
        [7, "WORKDIR", "none"],
      ]);
      expect(states(first).slice(0, 2)).toEqual(["executed", "executed"]);
      const second = await build(twoStages, { context: own });
      expect(new Set(states(second))).toEqual(new Set(["reused"]));
      expect(second.steps.map((step) => step.executedAt)).toEqual(first.steps.map((step) => step.executedAt));
      expect(digestsOf(second)).toEqual(digestsOf(first));
    });

    test("executes what a changed file of the context reaches", async () => {
      const own = context("one\n");
      await build(twoStages, { context: own });
      fs.writeFileSync(join(own, "data"), "two\n");
      const { steps, layers } = await build(twoStages, { context: own });
      expect(steps.map(({ line, state }) => (state === "executed" ? line : 0))).toEqual([2, 3, 4, 6, 0]);
      expect(fileIn(engine, layers[0], "twice")).toBe("two\ntwo\n");
    });

    test("sees another content of the same size and time", async () => {
      const text = `FROM scratch\nRUN ${bin} --mount=target=/mnt cat /mnt/data > /copy\n`;
      const own = context("one\n");
      const time = new Date(1_000_000_000_000);
      for (const data of ["one\n", "two\n"]) {
        fs.writeFileSync(join(own, "data"), data);
        fs.utimesSync(join(own, "data"), time, time);
        const { layers } = await build(text, { context: own });
        expect(fileIn(engine, layers[0], "copy")).toBe(data);
      }
    });

    test("executes every step again without the cache, with the same result", async () => {
      const store = folders.fresh("store");
      const request = { text: twoStages, contexts: { tools: folders.tools }, context: context("again\n") };
      const outputs: BuildOutput[] = [];
      for (const noCache of [false, true]) {
        const own = await subject.open(store);
        outputs.push(await buildText(own.engine, { ...request, noCache }));
        await own.close();
      }
      const [first, second] = outputs as [BuildOutput, BuildOutput];
      expect(new Set(states(second))).toEqual(new Set(["executed"]));
      expect(digestsOf(second)).toEqual(digestsOf(first));
    });

    test("ends with what a RUN said and its place when the RUN fails, and builds on", async () => {
      const said: string[] = [];
      const failed = thrownBy(
        build(`FROM scratch\nRUN ${bin} echo the reason >&2; exit 3\n`, {}, (event) => {
          if (event.type === "step-output") said.push(event.chunk.toString());
        }),
      );
      expect(await failed).toMatchObject({ kind: "rejected", code: "run-failed", subject: "Containerfile:2" });
      expect(said.join("")).toBe("the reason\n");
      expect((await build(`FROM scratch\nRUN ${bin} true\n`)).layers).toHaveLength(1);
    });

    test("refuses a context and an image that were not given", async () => {
      const refusal = thrownBy(build("FROM scratch\nCOPY data /\n", { contexts: {} }));
      expect(await refusal).toMatchObject({ kind: expect.stringMatching(/malformed|rejected/) as string });
      expect(await thrownBy(build("FROM base/x\nWORKDIR /a\n"))).toMatchObject({ kind: "malformed" });
    });

    test("stands on the layers of an image", async () => {
      const base = await build("FROM scratch\nCOPY data /data\n", { context: context("base\n") });
      const images = { "base/own": { layers: base.layers, blobPath: engine.blobPath.bind(engine) } };
      const { layers } = await build(`FROM base/own\nRUN ${bin} cat /data > /read\n`, { images });
      expect(layers[0]).toEqual(base.layers[0]);
      expect(fileIn(engine, layers[1], "read")).toBe("base\n");
    });

    test("refuses an image whose blob is not what its digest says", async () => {
      const base = await build("FROM scratch\nCOPY data /data\n", { context: context("other base\n") });
      const path = join(folders.fresh("blobs"), "blob");
      const [layer] = base.layers;
      if (layer === undefined) throw new Error("no layer");
      const data = fs.readFileSync(engine.blobPath(layer));
      data[data.length - 9] = (data.at(-9) ?? 0) ^ 1;
      fs.writeFileSync(path, data);
      const fresh = await subject.open(folders.fresh("store"));
      const images = { "base/bad": { layers: base.layers, blobPath: () => path } };
      const text = `FROM base/bad\nRUN ${bin} true\n`;
      const thrown = await thrownBy(buildText(fresh.engine, { text, images, contexts: { tools: folders.tools } }));
      await fresh.close();
      expect(thrown).toMatchObject({ kind: "untrusted" });
    });

    test("runs a step that two builds ask for at the same time once", async () => {
      const text = `FROM scratch\nRUN ${bin} sleep 0.3; cat /proc/sys/kernel/random/uuid > /id\n`;
      const started: string[] = [];
      const both = await Promise.all(
        ["one", "two"].map((target) =>
          build(text, { target }, (event) => {
            if (event.type === "step-started") started.push(event.target);
          }),
        ),
      );
      expect(digestsOf(both[0] as BuildOutput)).toEqual(digestsOf(both[1] as BuildOutput));
      expect(started).toHaveLength(1);
    });

    test("tells what happens, in order", async () => {
      const events: string[] = [];
      await build(`FROM scratch\nRUN ${bin} echo said; echo ordered > /ordered\n`, {}, (event) =>
        events.push(event.type),
      );
      expect(events).toEqual(["step-started", "step-output", "step-ended", "compressing"]);
    });

    test("gives a RUN no network that the policy does not grant", async () => {
      for (const flag of ["", "--network=default ", "--network=host "]) {
        const { layers, steps } = await build(`FROM scratch\nRUN ${flag}${bin} ls /sys/class/net > /net\n`);
        expect(fileIn(engine, layers[0], "net")).toBe("lo\n");
        expect(steps[0]?.network).toBe("none");
      }
    });

    test("keeps secrets out of layers and reports", async () => {
      const file = join(folders.fresh("secret"), "file");
      fs.writeFileSync(file, "hunter2");
      const text = `FROM scratch\nRUN ${bin} --mount=type=secret,id=word [ "$(wc -c < /run/secrets/word)" = 7 ]\n`;
      const output = await build(text, { secrets: { word: file } });
      expect(JSON.stringify(output)).not.toContain("hunter2");
      for (const layer of output.layers) expect(tarOf(engine, layer).includes("hunter2")).toBe(false);
      expect(await thrownBy(build(text.replace("id=word", "id=word,required"), { noCache: true }))).toMatchObject({
        kind: "rejected",
      });
    });

    test("stops all work at once when it is closed, and takes no more", async () => {
      const fresh = await subject.open(folders.fresh("store"));
      const request = { text: `FROM scratch\nRUN ${bin} echo begun; sleep 100\n`, contexts: { tools: folders.tools } };
      let begun = 0;
      const running = thrownBy(
        buildText(fresh.engine, request, (event) => {
          if (event.type !== "step-output") return;
          begun = Date.now();
          fresh.engine.close();
        }),
      );
      expect(await running).toMatchObject({ kind: "unavailable", code: "interrupted" });
      expect(Date.now() - begun).toBeLessThan(2000);
      expect(await thrownBy(buildText(fresh.engine, request))).toMatchObject({ kind: "unavailable" });
      await fresh.close();
    });

    it("has no skip for a test that does not exist", () => {
      expect(Object.keys(subject.skips).filter((title) => !titles.has(title))).toEqual([]);
    });
  });
}
