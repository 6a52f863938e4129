import type { StagewrightError } from "../../base/index.js";
import { rejected } from "../../base/index.js";
import type { Descriptor, DescriptorPlatform, Manifest, ReadImageConfig } from "../image/index.js";
import { blobKindOf, parseConfig, parseIndex, parseManifest } from "../image/index.js";
import { readVerifiedBlob } from "./blob-source.js";
import type { Layout } from "./read-layout.js";

/** An image of one platform, its documents proven against the digests that lead to them. Its layers are not yet read. */
export interface ReadImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ReadImageConfig;
}

/** Indexes that may stand in each other. */
const indexDepth = 4;

/**
 * Finds the image of a platform in a layout.
 * @param tag takes only the entry of `index.json` whose `org.opencontainers.image.ref.name` it is; without it there must be
 * one entry.
 * @throws rejected `image-not-found`, `image-ambiguous`, `platform-not-found`, `blob-missing`, `blob-size`, `blob-digest`,
 * `layers-and-config`; malformed as of the parsers
 */
export function readImage(layout: Layout, platform: DescriptorPlatform, tag?: string): ReadImage {
  const named = layout.index.manifests.filter((entry) => tag === undefined || refName(entry) === tag);
  const [entry] = named;
  if (entry === undefined)
    throw refuse("image-not-found", `expected an image named ${tag ?? "anything"}, found none`, layout);
  if (named.length > 1) {
    throw refuse("image-ambiguous", `expected one image, found ${named.length}: name one by its tag`, layout);
  }
  const descriptor = findManifest(layout, entry, platform, indexDepth);
  if (descriptor === undefined) {
    throw refuse(
      "platform-not-found",
      `expected a manifest for ${platform.os}/${platform.architecture}, found none`,
      layout,
    );
  }
  return readManifest(layout, descriptor);
}

function readManifest(layout: Layout, descriptor: Descriptor): ReadImage {
  const manifest = parseManifest(readVerifiedBlob(layout, descriptor), descriptor.digest);
  const config = parseConfig(readVerifiedBlob(layout, manifest.config), manifest.config.digest);
  if (config.diffIds.length === manifest.layers.length) return { descriptor, manifest, config };
  throw rejected({
    code: "layers-and-config",
    message: `expected ${config.diffIds.length} layers, as the configuration says, found ${manifest.layers.length}`,
    subject: descriptor.digest,
  });
}

function findManifest(
  layout: Layout,
  entry: Descriptor,
  platform: DescriptorPlatform,
  depth: number,
): Descriptor | undefined {
  if (blobKindOf(entry.mediaType) !== "index") return servesPlatform(layout, entry, platform) ? entry : undefined;
  if (depth === 0) throw refuse("platform-not-found", `expected at most ${indexDepth} indexes in each other`, layout);
  const { manifests } = parseIndex(readVerifiedBlob(layout, entry), entry.digest);
  for (const inner of manifests) {
    const found = findManifest(layout, inner, platform, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the descriptor names no platform the configuration does. */
function servesPlatform(layout: Layout, entry: Descriptor, wanted: DescriptorPlatform): boolean {
  const found = entry.platform ?? readManifest(layout, entry).config;
  return found.os === wanted.os && found.architecture === wanted.architecture && variantOf(found) === variantOf(wanted);
}

/** The variant that stands for none where an architecture has a usual one, as containerd has it. */
function variantOf({ architecture, variant }: DescriptorPlatform): string | undefined {
  if (architecture === "arm64" && variant === "v8") return undefined;
  if (architecture === "arm" && variant === undefined) return "v7";
  return variant;
}

function refName(entry: Descriptor): string | undefined {
  return entry.annotations?.["org.opencontainers.image.ref.name"];
}

function refuse(code: string, message: string, layout: Layout): StagewrightError {
  return rejected({ code, message, subject: layout.folder });
}
