/** The one place where the parity suite meets the engine under test. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { buildImage, openNativeEngine, readIgnorePatterns, readLayoutImage } from "../../src/app/index.js";
import type { OpenedEngine } from "../../src/app/index.js";
import { familiarImageName, parsePlatform } from "../../src/graph/index.js";
import type { ContextInput } from "../../src/graph/index.js";
import { nodeClock, nodeFileSystem, nodeProcesses, nodeWorkers } from "../../src/host/index.js";
import { parseContainerfile } from "../../src/tree/index.js";
import type { ParityCase } from "./case.js";

export interface BuildRequest {
  /** Platform, target, build arguments. The image is named `stagex/NAME:latest`, as docs/spec/parity.md gives the command. */
  readonly parityCase: ParityCase;
  /** Path of the Containerfile. */
  readonly containerfile: string;
  /** The build context and the named ones: folders. */
  readonly context: string;
  readonly contexts: Readonly<Record<string, string>>;
  /** Named contexts that are images: OCI layouts, by the name that FROM and COPY use. */
  readonly images: Readonly<Record<string, string>>;
  /** Files, by secret id. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Where the OCI layout goes. */
  readonly output: string;
  /** A folder for the engine's store, shared by all cases. */
  readonly store: string;
}

export interface Built {
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly diffIds: readonly string[];
}

const workerModule = fileURLToPath(new URL("../../dist/worker.js", import.meta.url));
const engines = new Map<string, Promise<OpenedEngine>>();

function engineFor(store: string): Promise<OpenedEngine> {
  let opened = engines.get(store);
  if (opened === undefined) {
    opened = openNativeEngine(
      {
        store,
        jobs: 2,
        threads: availableParallelism(),
        workerModule,
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
    engines.set(store, opened);
  }
  return opened;
}

/** Ends the engines of all stores. */
export async function closeEngines(): Promise<void> {
  for (const opened of engines.values()) await (await opened).close();
  engines.clear();
}

/** @throws StagewrightError when the build is refused. */
export async function buildCase(request: BuildRequest): Promise<Built> {
  const { parityCase } = request;
  const { engine } = await engineFor(request.store);
  const fileName = request.containerfile;
  const raw = nodeFileSystem.readFileSync(fileName);
  const platform = parsePlatform(parityCase.platform);
  const folder = (path: string, ignore: readonly string[]): ContextInput => ({ folder: path, placed: [], ignore });
  const contexts = new Map([
    ["", folder(request.context, readIgnorePatterns(request.context, fileName, nodeFileSystem))],
  ]);
  for (const [name, path] of Object.entries(request.contexts))
    contexts.set(name, folder(path, readIgnorePatterns(path, `${path}/`, nodeFileSystem)));
  const images = new Map(
    Object.entries(request.images).map(([name, path]) => [
      familiarImageName(name) ?? name,
      readLayoutImage(path, platform, nodeFileSystem),
    ]),
  );
  const image = await buildImage(
    {
      target: parityCase.name,
      file: parseContainerfile(raw, fileName),
      fileName,
      text: raw.toString("utf8"),
      platform,
      buildArguments: new Map(Object.entries(parityCase.args)),
      targetStage: parityCase.target,
      contexts,
      images,
      secrets: request.secrets,
      networkAllowed: false,
      noCache: false,
      output: { folder: request.output, repository: `stagex/${parityCase.name}`, version: "latest" },
    },
    {
      engine,
      files: nodeFileSystem,
      onEvent: () => undefined,
      download: ({ url }) => Promise.reject(new Error(`no case downloads anything: ${url}`)),
      alone: (_folder, work) => Promise.resolve(work()),
    },
  );
  const diffIds = image.layers.map((layer) => layer.diffId);
  return { manifestDigest: image.digest, configDigest: image.configDigest, diffIds };
}
