/** From a target of a tree to the build of one image: arguments, contexts, images, names. */
import type { FileSystem, Json, StagewrightError } from "../base/index.js";
import { malformed, unavailable } from "../base/index.js";
import type { ContextInput, PlacedInput, Platform, Target } from "../graph/index.js";
import { buildArguments, parseContainerfile, sourceFileName } from "../tree/index.js";
import type { ImageBuildRequest, KnownImage } from "./build-image.js";
import { readIgnorePatterns } from "./ignore-file.js";
import type { NamedContexts } from "./named-contexts.js";
import type { LoadedTree } from "./load-tree.js";

/** Sources that are in the store, by hash, and why others are not. */
export interface FetchedSources {
  readonly paths: ReadonlyMap<string, string>;
  readonly errors: ReadonlyMap<string, StagewrightError>;
}

const containerfileName = "Containerfile";
/** Sources as the tree's tooling downloads them, under the usual umask. */
const sourceMode = 0o644;

/** `latest` for a package without a version. */
function imageVersion(target: Target): string {
  return target.version ?? "latest";
}

function repositoryOf(tree: LoadedTree, id: string): string {
  return `${tree.config.prefix}/${id}`;
}

function argumentsOf(tree: LoadedTree, target: Target) {
  return buildArguments(target.package, (id) => tree.graph.targets.get(id)?.version);
}

/** Every input of a target that is not a file of its folder or an image: part of its key. */
export function targetInputs(tree: LoadedTree, target: Target): Record<string, Json> {
  return {
    id: target.id,
    repository: repositoryOf(tree, target.id),
    version: imageVersion(target),
    stage: target.buildStage ?? null,
    arguments: argumentsOf(tree, target).map(({ name, value }) => [name, value]),
    sources: target.package.sources.map((source) => [
      sourceFileName(target.package, source, target.version),
      source.hash,
    ]),
    network: tree.config.networkAllow.includes(target.id),
  };
}

export interface TargetRequestInput {
  readonly tree: LoadedTree;
  readonly target: Target;
  readonly platform: Platform;
  readonly sources: FetchedSources;
  readonly images: ReadonlyMap<string, KnownImage>;
  readonly files: FileSystem;
  readonly layoutFolder: string;
  readonly noCache: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly contexts: NamedContexts;
}

/** @throws malformed for a faulty Containerfile; the source's own error when one could not be had. */
export function targetRequest(input: TargetRequestInput): ImageBuildRequest {
  const { tree, target, platform, files } = input;
  const folder = `${tree.root}/${target.package.folder}`;
  const fileName = `${target.package.folder}/${containerfileName}`;
  const raw = files.readFileSync(`${folder}/${containerfileName}`);
  const placed = placedSources(target, input.sources);
  const ignore = readIgnorePatterns(folder, containerfileName, files);
  const inFolder = placed.map((source) => ({ ...source, path: `fetch/${source.path}` }));
  const contexts = new Map<string, ContextInput>([
    ["", { folder, placed: inFolder, ignore }],
    ["fetch", { folder: undefined, placed, ignore: [] }],
    ...input.contexts.folders(),
  ]);
  return {
    target: target.id,
    file: parseContainerfile(raw, fileName),
    fileName,
    text: raw.toString("utf8"),
    platform,
    buildArguments: new Map(argumentsOf(tree, target).map(({ name, value }) => [name, value])),
    targetStage: target.buildStage,
    contexts,
    images: new Map([...input.images, ...input.contexts.images(platform)]),
    secrets: input.secrets,
    networkAllowed: tree.config.networkAllow.includes(target.id),
    noCache: input.noCache,
    output: {
      folder: input.layoutFolder,
      repository: repositoryOf(tree, target.id),
      version: imageVersion(target),
    },
  };
}

function placedSources(target: Target, sources: FetchedSources): PlacedInput[] {
  const placed = new Map<string, PlacedInput>();
  for (const source of target.package.sources) {
    const error = sources.errors.get(source.hash);
    if (error !== undefined) throw error;
    const file = sources.paths.get(source.hash);
    if (file === undefined) {
      throw unavailable({
        code: "source-missing",
        message: `the source ${source.name} is not in the store`,
        subject: target.package.folder,
        hint: `stagewright fetch ${target.id}`,
      });
    }
    const path = sourceFileName(target.package, source, target.version);
    const before = placed.get(path);
    if (before !== undefined && before.sha256 !== source.hash) throw twoOfOneName(target, path);
    placed.set(path, { path, file, sha256: source.hash, mode: sourceMode });
  }
  return [...placed.values()];
}

function twoOfOneName(target: Target, path: string): Error {
  return malformed({
    code: "same-file-name",
    message: `expected one source of each file name, found two named ${JSON.stringify(path)} with different hashes`,
    subject: `${target.package.folder}/package.toml`,
    hint: 'give one of them another name: file = "…" in its [sources.NAME]',
  });
}

/** Images of the targets that this one stands on, by the names that its Containerfile has for them. */
export function knownImages(
  tree: LoadedTree,
  target: Target,
  builtImage: (id: string) => KnownImage,
): ReadonlyMap<string, KnownImage> {
  return new Map(target.dependencies.map((id) => [repositoryOf(tree, id), builtImage(id)]));
}
