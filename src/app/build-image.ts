/** One Containerfile to one OCI layout: parse, plan, run the steps, write the image. */
import type { Digest, FileSystem } from "../base/index.js";
import { malformed, toByteString } from "../base/index.js";
import type {
  BaseImage,
  BuildEvent,
  ContextInput,
  Engine,
  ImageInput,
  ImageLayer,
  Platform,
  StepReport,
  TargetDefinition,
} from "../graph/index.js";
import { planTarget, renderPlatform, requiredImages, servesPlatform } from "../graph/index.js";
import { renderImage, writeLayout } from "../oci/index.js";
import type { RenderedImage } from "../oci/index.js";
import type { Containerfile } from "../tree/index.js";

/** The form that published digests rest on: times after this become this, and the image says it was made then. */
const epochSeconds = 1;

/** What the canonical command gives to every build (docs/spec/image.md). */
const canonicalArguments: readonly (readonly [string, string])[] = [
  ["SOURCE_DATE_EPOCH", String(epochSeconds)],
  ["BUILDKIT_MULTI_PLATFORM", "1"],
];

/** An image that a FROM or COPY --from may name. */
export interface KnownImage extends ImageInput, BaseImage {
  /** What it was built for. */
  readonly platform: Platform;
}

export interface ImageBuildRequest {
  /** `STAGE-NAME`, or another name for what is built: scopes caches, names messages. */
  readonly target: string;
  readonly file: Containerfile;
  readonly fileName: string;
  readonly text: string;
  readonly platform: Platform;
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly targetStage: string | undefined;
  /** Folders that can be read; the build context has the empty name. */
  readonly contexts: ReadonlyMap<string, ContextInput>;
  /** Images by the name that the Containerfile uses. */
  readonly images: ReadonlyMap<string, KnownImage>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly networkAllowed: boolean;
  readonly noCache: boolean;
  /** Where the layout goes and what it is called: `REPOSITORY:VERSION`. */
  readonly output: { readonly folder: string; readonly repository: string; readonly version: string };
}

export interface BuiltImage {
  /** Of the platform's manifest: the digest of the target. */
  readonly digest: Digest;
  readonly indexDigest: Digest;
  readonly configDigest: Digest;
  /** Bytes of config and compressed layers. */
  readonly size: number;
  readonly layers: readonly ImageLayer[];
  readonly base: BaseImage;
  readonly steps: readonly StepReport[];
}

/** What the Containerfile means, given what its images are. @throws as {@link planTarget} */
export function planImage(request: ImageBuildRequest): TargetDefinition {
  const { file, fileName, text, platform, targetStage, images, contexts } = request;
  const buildArguments = new Map([...canonicalArguments, ...request.buildArguments]);
  const namedContexts = new Set([...contexts.keys()].filter((name) => name !== ""));
  const namedImages = new Set(images.keys());
  const stages = { file, fileName, text, platform, buildArguments, targetStage, namedContexts, namedImages };
  return planTarget({ ...stages, resolveImage: (name, wanted) => knownImage(request, name, wanted) });
}

/** Names of the images that the target needs. @throws as {@link requiredImages} */
export function imagesNeeded(request: Omit<ImageBuildRequest, "images">): readonly string[] {
  const { file, fileName, text, platform, targetStage, contexts } = request;
  const buildArguments = new Map([...canonicalArguments, ...request.buildArguments]);
  const namedContexts = new Set([...contexts.keys()].filter((name) => name !== ""));
  const stages = { file, fileName, text, platform, buildArguments, targetStage, namedContexts };
  return [...new Set(requiredImages(stages).map((image) => image.name))];
}

/** An image of another platform under the same name would be the wrong one; the 32-bit form serves, as with BuildKit. */
function knownImage(request: ImageBuildRequest, name: string, wanted: Platform): KnownImage {
  const { images, fileName: subject } = request;
  const image = images.get(name);
  if (image !== undefined && servesPlatform(wanted, image.platform)) return image;
  if (image !== undefined) {
    throw malformed({
      code: "image-platform",
      message: `expected an image for ${renderPlatform(wanted)}, found that ${JSON.stringify(name)} is for ${renderPlatform(image.platform)}`,
      subject,
      hint: `write FROM --platform=${renderPlatform(image.platform)} if that is what is meant`,
    });
  }
  throw malformed({
    code: "unknown-image",
    message: `expected an image of this tree or one given as a build context, found ${JSON.stringify(name)}`,
    subject,
    hint: `nothing is pulled: give it as an OCI layout with --build-context ${name}=oci-layout://DIR`,
  });
}

/** A file that an ADD names by its address and its hash. */
export interface Download {
  readonly url: string;
  readonly sha256: string;
  readonly fileName: string;
}

export interface ImageBuildEffects {
  readonly engine: Engine;
  readonly files: FileSystem;
  readonly onEvent: (event: BuildEvent) => void;
  /** Gets a file with a proven hash and gives its path. */
  readonly download: (download: Download) => Promise<string>;
  /** Runs the work while no other process writes to the folder. */
  readonly alone: <T>(folder: string, work: () => T) => Promise<T>;
}

/**
 * Builds and writes the image.
 * @throws what planning, the engine and the layout writer throw
 */
export async function buildImage(request: ImageBuildRequest, effects: ImageBuildEffects): Promise<BuiltImage> {
  const { engine, files } = effects;
  const definition = planImage(request);
  const { target, fileName, images, contexts, networkAllowed, secrets, noCache } = request;
  const downloads = await fetchDownloads(definition, effects);
  const { layers, steps } = await engine.build(
    { target, fileName, definition, images, contexts, downloads, networkAllowed, secrets, noCache },
    effects.onEvent,
  );
  const rendered = renderTarget(definition, layers, request);
  const blobs = layers.map(({ digest, size, ...layer }) => ({
    digest,
    size,
    path: toByteString(engine.blobPath({ digest, size, ...layer })),
  }));
  const { folder } = request.output;
  await effects.alone(folder, () => {
    writeLayout({ folder, image: rendered, layers: blobs }, files);
  });
  return describe(rendered, definition, layers, steps);
}

async function fetchDownloads(definition: TargetDefinition, effects: ImageBuildEffects) {
  const found = new Map<string, { readonly file: string; readonly sha256: string }>();
  for (const step of definition.steps) {
    if (step.kind !== "file") continue;
    for (const action of step.actions) {
      if (action.kind !== "copy" || action.from.kind !== "download" || found.has(action.from.url)) continue;
      const { url, sha256 } = action.from;
      found.set(url, { file: await effects.download(action.from), sha256 });
    }
  }
  return found;
}

function renderTarget(
  definition: TargetDefinition,
  layers: readonly ImageLayer[],
  request: ImageBuildRequest,
): RenderedImage {
  const { config, history, platform, author } = definition;
  const { repository, version } = request.output;
  const image = { platform, config, history, layers, ...(author === undefined ? {} : { author }) };
  return renderImage([image], { repository, version, epochSeconds });
}

function describe(
  rendered: RenderedImage,
  definition: TargetDefinition,
  layers: readonly ImageLayer[],
  steps: readonly StepReport[],
): BuiltImage {
  const platform = rendered.platforms[0];
  if (platform === undefined) throw new Error(`no manifest for ${renderPlatform(definition.platform)}`);
  const { config, manifest } = platform;
  return {
    digest: manifest.descriptor.digest,
    indexDigest: rendered.index.descriptor.digest,
    configDigest: config.descriptor.digest,
    size: layers.reduce((sum, layer) => sum + layer.size, config.descriptor.size),
    layers,
    base: baseOf(definition),
    steps,
  };
}

function baseOf(definition: TargetDefinition): BaseImage {
  const { config, history, author } = definition;
  return author === undefined ? { config, history } : { config, history, author };
}
