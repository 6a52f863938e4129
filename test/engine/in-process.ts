/** Engines in this process, driven by the text of a Containerfile. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { openNativeEngine, type OpenedEngine } from "../../src/app/index.js";
import type {
  BaseImage,
  BuildEvent,
  BuildInput,
  BuildOutput,
  Engine,
  ImageInput,
  ImageLayer,
} from "../../src/graph/index.js";
import { nodeClock, nodeFileSystem, nodeProcesses, nodeWorkers } from "../../src/host/index.js";
import { plainImage, planText } from "../support/plan-text.js";
import { placeBusybox } from "./small-tree.js";

/** Folders of a test file, with the machine's busybox as the named context `tools`. */
export class EngineFolders {
  readonly folder = fs.mkdtempSync(join(tmpdir(), "stagewright-engine-"));
  readonly tools = join(this.folder, "tools");
  private counter = 0;

  constructor() {
    placeBusybox(this.tools);
  }

  fresh(name: string): string {
    const path = join(this.folder, `${name}-${String(++this.counter)}`);
    fs.mkdirSync(path, { mode: 0o700 });
    return path;
  }

  remove(): void {
    execFileSync("rm", ["-rf", "--", this.folder]);
  }
}

export function openEngine(store: string): Promise<OpenedEngine> {
  return openNativeEngine(
    {
      store,
      jobs: 2,
      threads: availableParallelism(),
      workerModule: fileURLToPath(new URL("../../dist/worker.js", import.meta.url)),
      node: process.execPath,
      uid: process.getuid?.() ?? 0,
      architecture: process.arch === "x64" ? "amd64" : process.arch,
    },
    {
      files: nodeFileSystem,
      processes: nodeProcesses(process.env["PATH"] ?? ""),
      workers: nodeWorkers,
      clock: nodeClock,
    },
  );
}

export interface TextBuild {
  readonly text: string;
  /** The build context. */
  readonly context?: string;
  /** Named contexts that are folders. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** Named contexts that are images. */
  readonly images?: Readonly<Record<string, ImageInput & Partial<BaseImage>>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly noCache?: boolean;
}

export function inputOf(build: TextBuild): BuildInput {
  const folders = Object.entries({ "": build.context, ...build.contexts });
  const contexts = new Map(folders.map(([name, folder]) => [name, { folder, placed: [], ignore: [] }]));
  const images = Object.entries(build.images ?? {});
  const definition = planText(build.text, {
    ...(build.platform === undefined ? {} : { platform: build.platform }),
    contexts: Object.keys(build.contexts ?? {}),
    images: Object.fromEntries(
      images.map(([name, { config, history }]) => [
        name,
        { ...plainImage, ...(config && { config }), ...(history && { history }) },
      ]),
    ),
  });
  return {
    target: build.target ?? "test-target",
    fileName: "Containerfile",
    definition,
    images: new Map(images),
    contexts,
    downloads: new Map(),
    networkAllowed: false,
    secrets: build.secrets ?? {},
    noCache: build.noCache ?? false,
  };
}

export async function buildText(
  engine: Engine,
  build: TextBuild,
  onEvent: (event: BuildEvent) => void = () => undefined,
): Promise<BuildOutput> {
  return await engine.build(inputOf(build), onEvent);
}

/** The uncompressed tar of a layer. */
export function tarOf(engine: Engine, layer: ImageLayer | undefined): Buffer {
  if (layer === undefined) throw new Error("no such layer");
  return gunzipSync(fs.readFileSync(engine.blobPath(layer)));
}

/** Names in a layer. */
export function namesIn(engine: Engine, layer: ImageLayer | undefined): string[] {
  const listed = execFileSync("tar", ["-t"], { input: tarOf(engine, layer), encoding: "utf8" });
  return listed.split("\n").filter((name) => name !== "");
}

/** Text of a file in a layer. */
export function fileIn(engine: Engine, layer: ImageLayer | undefined, path: string): string {
  return execFileSync("tar", ["-xO", path], { input: tarOf(engine, layer), encoding: "utf8" });
}

/** What was thrown. @throws when nothing was */
export async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  const nothing = Symbol("nothing");
  const thrown = await work.then(
    () => nothing,
    (reason: unknown) => reason,
  );
  if (thrown === nothing) throw new Error("expected an error, found none");
  return thrown;
}
