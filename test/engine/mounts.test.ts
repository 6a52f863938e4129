/** Rules EN-60 to EN-66: caches, secrets, bind mounts, contexts, long chains, layers twice, 32-bit programs. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { readLayoutImage, type OpenedEngine } from "../../src/app/index.js";
import { parsePlatform, type BuildOutput } from "../../src/graph/index.js";
import { nodeFileSystem } from "../../src/host/index.js";
import {
  EngineFolders,
  buildText,
  fileIn,
  namesIn,
  openEngine,
  tarOf,
  thrownBy,
  type TextBuild,
} from "./in-process.js";
import { Workspace, build, digestsOf, startBuild, until } from "./program.js";
import { packageText, shellPackage, writeTree } from "./small-tree.js";

let folders: EngineFolders;
let store: string;
let opened: OpenedEngine;
const alsoOpened: OpenedEngine[] = [];

beforeAll(async () => {
  folders = new EngineFolders();
  store = folders.fresh("store");
  opened = await openEngine(store);
});
afterEach(async () => {
  for (const one of alsoOpened.splice(0)) await one.close();
});
afterAll(async () => {
  await opened.close();
  folders.remove();
});

const bin = "--mount=from=tools,target=/bin";

function run(text: string, more: Partial<TextBuild> = {}): Promise<BuildOutput> {
  return buildText(opened.engine, { text, ...more, contexts: { tools: folders.tools, ...more.contexts } });
}

/** Text of the last layer's file. */
async function written(text: string, path: string, more: Partial<TextBuild> = {}): Promise<string> {
  const { layers } = await run(text, more);
  return fileIn(opened.engine, layers.at(-1), path);
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = folders.fresh("context");
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(folder, name), text);
  return folder;
}

describe("cache mounts", () => {
  const counting = (options: string, mark: string) =>
    `FROM scratch\nRUN ${bin} --mount=type=cache,target=/c,${options} echo ${mark} >> /c/log; cat /c/log > /log\n`;

  it("keep what a RUN leaves, for the same target only (EN-60)", async () => {
    expect(await written(counting("id=kept", "a"), "log")).toBe("a\n");
    expect(await written(counting("id=kept", "b"), "log")).toBe("a\nb\n");
    expect(await written(counting("id=kept", "c"), "log", { target: "another" })).toBe("c\n");
    expect(await written(counting("id=other", "d"), "log")).toBe("d\n");
  });

  it("have the mode and owner that were asked for, and take their first content from a source (EN-60)", async () => {
    const options = "mode=0711,uid=7,gid=8,id=modes";
    const shown = `FROM scratch\nRUN ${bin} --mount=type=cache,target=/c,${options} stat -c '%a %u %g' /c > /o\n`;
    expect(await written(shown, "o")).toBe("711 7 8\n");
    const context = folderWith({ seed: "from the context\n" });
    const text = `FROM scratch AS seed\nCOPY seed /s/\nFROM scratch\nRUN ${bin} --mount=type=cache,target=/c,from=seed,source=/s,id=seeded cat /c/seed > /o\n`;
    expect(await written(text, "o", { context })).toBe("from the context\n");
  });

  it("that are read-only cannot be written to (EN-60)", async () => {
    const text = `FROM scratch\nRUN ${bin} --mount=type=cache,target=/c,ro,id=ro echo x > /c/x || echo refused > /o\n`;
    expect(await written(text, "o")).toBe("refused\n");
  });

  /** Two RUNs that overlap if they may: each notes when it began and ended. */
  const overlapping = (sharing: string, mark: string) =>
    `FROM scratch\nRUN ${bin} --mount=type=cache,target=/c,id=${sharing},sharing=${sharing} echo begin >> /c/log; sleep 0.4; echo end >> /c/log; cat /c/log > /log; echo ${mark} > /mark\n`;

  it.each([
    ["locked", /^(?:begin\nend\n){1,2}$/],
    ["private", /^begin\nend\n$/],
    ["shared", /^begin\nbegin\nend\n(?:end\n)?$/],
  ])("with sharing=%s, among RUNs of one process and of two (EN-61)", async (sharing, form) => {
    const inOne = await Promise.all(["one", "two"].map((mark) => written(overlapping(sharing, mark), "log")));
    for (const log of inOne) expect(log).toMatch(form);
    const other = await openEngine(store);
    alsoOpened.push(other);
    // An engine of its own has locks of its own only where it is another process: the command is one.
    const workspace = new Workspace("locks");
    const command = `${overlapping(sharing, "x").split(`${bin} `)[1] ?? ""}`.trim();
    const texts = ["a", "b"].map((mark) =>
      packageText("core", "locks", `FROM stagex/core-shell\nRUN --network=none ${command} # ${mark}\n`),
    );
    const trees = texts.map((text) => writeTree(workspace.fresh("tree"), { ...shellPackage, ...text }));
    const shared = workspace.fresh("store");
    const output = workspace.fresh("out");
    const both = await Promise.all(
      trees.map((tree, index) => build(workspace, { tree, store: shared, output: join(output, String(index)) })),
    );
    for (const [index, finished] of both.entries()) {
      digestsOf(finished);
      const layout = readLayoutImage(
        join(output, String(index), "core-locks"),
        parsePlatform("linux/amd64"),
        nodeFileSystem,
      );
      const layer = layout.layers.at(-1);
      if (layer === undefined) throw new Error("no layer");
      const log = execFileSync("tar", ["-xzOf", layout.blobPath(layer), "log"], { encoding: "utf8" });
      expect(log).toMatch(sharing === "shared" ? /^begin\n/ : form);
    }
    workspace.remove();
  });

  it("are taken from a process that was killed while it held them (EN-61)", async () => {
    const workspace = new Workspace("stale");
    const file = (command: string) =>
      `FROM stagex/core-shell\nRUN --network=none --mount=type=cache,sharing=locked,target=/c ${command}\n`;
    const text = (command: string) => ({ ...shellPackage, ...packageText("core", "stale", file(command)) });
    const place = {
      tree: writeTree(workspace.fresh("tree"), text("echo begun; sleep 100")),
      store: workspace.fresh("store"),
      output: workspace.fresh("out"),
    };
    const { child, done } = startBuild(workspace, place);
    const log = join(place.store, "logs/core-stale.log");
    await until("the RUN", () => fs.existsSync(log) && fs.readFileSync(log, "utf8").includes("begun"));
    child.kill("SIGKILL");
    await done;
    const next = { ...place, tree: writeTree(workspace.fresh("tree"), text("true")) };
    expect((await build(workspace, next)).status).toBe(0);
    workspace.remove();
  });
});

describe("secrets", () => {
  const file = (): string => join(folderWith({ word: "hunter2" }), "word");
  const everything = (): string => {
    const found: string[] = [];
    for (const name of fs.readdirSync(store, { recursive: true, encoding: "utf8" })) {
      const path = join(store, name);
      if (!path.includes("/roots/") && fs.lstatSync(path).isFile() && fs.readFileSync(path).includes("hunter2"))
        found.push(name);
    }
    return found.join(" ");
  };

  it("are there as a file or variable, and reach neither layer nor store (EN-62)", async () => {
    const text = `FROM scratch\nRUN ${bin} --mount=type=secret,id=w,target=/s/word,mode=0440,uid=7,gid=8 --mount=type=secret,id=w,env=WORD stat -c '%a %u %g %s' /s/word > /o; echo $\{#WORD} >> /o\n`;
    const output = await run(text, { secrets: { w: file() } });
    expect(fileIn(opened.engine, output.layers[0], "o")).toBe("440 7 8 7\n7\n");
    expect(namesIn(opened.engine, output.layers[0])).toEqual(["dev/", "o", "proc/", "sys/"]);
    expect(everything()).toBe("");
  });

  it("that are optional may be missing; required ones may not (EN-62)", async () => {
    const text = (options: string) =>
      `FROM scratch\nRUN ${bin} --mount=type=secret,id=none${options} [ ! -e /run/secrets/none ]\n`;
    await run(text(""));
    expect(await thrownBy(run(text(",required")))).toMatchObject({ kind: "rejected", code: "secret-missing" });
    expect(await thrownBy(run(text(",required"), { secrets: { constructor: "/etc/hostname" } }))).toMatchObject({
      code: "secret-missing",
    });
  });

  it("whose content changed do not make a RUN run again: what they are is no part of a key (EN-62)", async () => {
    const text = `FROM scratch\nRUN ${bin} --mount=type=secret,id=w true; echo keyed > /k\n`;
    await run(text, { secrets: { w: file() } });
    const again = await run(text, { secrets: { w: join(folderWith({ word: "other" }), "word") } });
    expect(again.steps[0]?.state).toBe("reused");
  });
});

describe("bind mounts", () => {
  it("are read-only unless asked for; what is written is gone after the RUN (EN-63)", async () => {
    const context = folderWith({ f: "kept\n" });
    const refused = `FROM scratch\nRUN ${bin} --mount=target=/m echo x > /m/f || cat /m/f > /o\n`;
    expect(await written(refused, "o", { context })).toBe("kept\n");
    const allowed = `FROM scratch\nRUN ${bin} --mount=target=/m,rw echo lost > /m/f; cat /m/f > /o\nRUN ${bin} --mount=target=/m cat /m/f > /p\n`;
    const { layers } = await run(allowed, { context });
    expect([fileIn(opened.engine, layers[0], "o"), fileIn(opened.engine, layers[1], "p")]).toEqual([
      "lost\n",
      "kept\n",
    ]);
    expect(fs.readFileSync(join(context, "f"), "utf8")).toBe("kept\n");
  });

  it("show stages and images, and a RUN is done again where what they show changed (EN-63)", async () => {
    const text = `FROM scratch AS a\nCOPY f /d/f\nFROM scratch\nRUN ${bin} --mount=from=a,source=/d,target=/m cat /m/f > /o\n`;
    const context = folderWith({ f: "1\n", unused: "1" });
    expect(await written(text, "o", { context })).toBe("1\n");
    fs.writeFileSync(join(context, "unused"), "2");
    expect((await run(text, { context })).steps[1]?.state).toBe("reused");
    fs.writeFileSync(join(context, "f"), "2\n");
    expect(await written(text, "o", { context })).toBe("2\n");
  });
});

describe("images", () => {
  it("of a named OCI layout are stood on and copied from (EN-64)", async () => {
    const workspace = new Workspace("layout");
    const place = {
      tree: writeTree(workspace.fresh("tree"), shellPackage),
      store: workspace.fresh("store"),
      output: workspace.fresh("out"),
    };
    digestsOf(await build(workspace, place));
    const text = packageText(
      "core",
      "user",
      "FROM outside/image\nCOPY --from=outside/image /bin/busybox /copy\nCOPY --from=files . /files/\nRUN --network=none [ -s /copy ] && ls /files > /o\n",
    );
    const other = {
      tree: writeTree(workspace.fresh("tree"), text),
      store: workspace.fresh("store"),
      output: workspace.fresh("out"),
    };
    const words = [
      "--build-context",
      `outside/image=oci-layout://${place.output}/core-shell`,
      "--build-context",
      `files=${folderWith({ one: "1" })}`,
    ];
    const finished = await build(workspace, other, words);
    expect(Object.keys(digestsOf(finished))).toEqual(["core-user"]);
    workspace.remove();
  });

  it("with more layers than one mount takes can be run on (EN-13, EN-65)", { timeout: 120_000 }, async () => {
    const count = 130;
    const context = folderWith({ f: "x" });
    const copies = Array.from({ length: count }, (_, index) => `COPY f /d/${String(index)}\n`).join("");
    const text = `FROM scratch\n${copies}RUN ${bin} ls /d | wc -l > /count; rm /d/0 /d/${String(count - 1)}\nRUN ${bin} ls /d | wc -l > /after\n`;
    const { layers } = await run(text, { context });
    expect(fileIn(opened.engine, layers.at(-2), "count").trim()).toBe(String(count));
    expect(fileIn(opened.engine, layers.at(-1), "after").trim()).toBe(String(count - 2));
    expect(namesIn(opened.engine, layers.at(-2))).toEqual(
      expect.arrayContaining(["d/.wh.0", `d/.wh.${String(count - 1)}`]),
    );
  });

  it("may have a layer twice (EN-13, EN-65)", async () => {
    const context = folderWith({ f: "x" });
    const base = await run("FROM scratch\nCOPY f /f\nRUN --mount=from=tools,target=/bin rm /f\n", { context });
    const [copy, removal] = base.layers;
    if (copy === undefined || removal === undefined) throw new Error("no layers");
    const images = {
      "base/twice": { layers: [copy, removal, copy], blobPath: opened.engine.blobPath.bind(opened.engine) },
    };
    const { layers } = await run(`FROM base/twice\nRUN ${bin} ls / > /o\n`, { images });
    expect(layers.map(({ diffId }) => diffId).slice(0, 3)).toEqual([copy, removal, copy].map(({ diffId }) => diffId));
    expect(fileIn(opened.engine, layers[3], "o").split("\n")).toContain("f");
  });

  it("of 32-bit x86 run on x86-64 (EN-66)", async () => {
    if (process.arch !== "x64") return;
    const folder = folders.fresh("context");
    fs.writeFileSync(join(folder, "program"), program32());
    fs.chmodSync(join(folder, "program"), 0o755);
    const text = 'FROM scratch\nCOPY program /\nRUN ["/program"]\n';
    const said: string[] = [];
    const request = { text, context: folder, platform: "linux/386" };
    const { steps } = await buildText(opened.engine, request, (event) => {
      if (event.type === "step-output") said.push(event.chunk.toString());
    });
    expect(steps[1]?.state).toBe("executed");
    expect(said.join("")).toBe("32\n");
    expect(tarOf(opened.engine, (await buildText(opened.engine, request)).layers[0]).length).toBeGreaterThan(0);
  });
});

/** A static ELF of 32-bit x86: `write(1, "32\n", 3); exit(0)`. */
function program32(): Buffer {
  const base = 0x08048000;
  const start = 0x54;
  const code = Buffer.from(
    "b804000000" + // mov eax, 4 (write)
      "bb01000000" + // mov ebx, 1
      "b900000000" + // mov ecx, text
      "ba03000000" + // mov edx, 3
      "cd80" + // int 0x80
      "b801000000" + // mov eax, 1 (exit)
      "31db" + // xor ebx, ebx
      "cd80", // int 0x80
    "hex",
  );
  code.writeUInt32LE(base + start + code.length, 11);
  const text = Buffer.from("32\n");
  const header = Buffer.alloc(start);
  header.write("\x7fELF\x01\x01\x01", "latin1");
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(3, 18); // x86
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(base + start, 24); // entry
  header.writeUInt32LE(0x34, 28); // program headers
  header.writeUInt16LE(0x34, 40);
  header.writeUInt16LE(0x20, 42);
  header.writeUInt16LE(1, 44);
  const size = start + code.length + text.length;
  for (const [at, value] of [1, 0, base, base, size, size, 5, 0x1000].entries())
    header.writeUInt32LE(value, 0x34 + at * 4);
  return Buffer.concat([header, code, text]);
}
