import type { Digest } from "../../base/index.js";
import { limits, malformed } from "../../base/index.js";
import { renderCreated } from "./created.js";
import type { Descriptor, DescriptorPlatform } from "./descriptor.js";
import { describeBlob } from "./descriptor.js";
import type { ContainerSettings, ImageHistory } from "./image-config.js";
import { renderConfig } from "./image-config.js";
import { renderIndex, renderOuterIndex } from "./image-index.js";
import { renderManifest } from "./manifest.js";
import { mediaTypes } from "./media-types.js";

/** A layer that was compressed. */
export interface ImageLayer {
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  /** Of the gzip stream. */
  readonly digest: Digest;
  /** Bytes of the gzip stream. */
  readonly size: number;
}

/** The image of one platform. */
export interface PlatformImage {
  readonly platform: DescriptorPlatform;
  readonly config: ContainerSettings;
  readonly history: readonly ImageHistory[];
  readonly author?: string;
  /** Lowest first; as many as the history has entries without `empty_layer`. */
  readonly layers: readonly ImageLayer[];
}

/** What an image is called and when it was made. */
export interface ImageNaming {
  /** `PREFIX/TARGET`, without a registry: Docker Hub is meant, as Docker means it. */
  readonly repository: string;
  /** The tag and the version; `latest` for a package without one. */
  readonly version: string;
  readonly epochSeconds: number;
}

/** Bytes and their descriptor. */
export interface RenderedBlob {
  readonly descriptor: Descriptor;
  readonly data: Uint8Array;
}

export interface RenderedImage {
  /** For each platform, in the order given. The digest of the target is that of the first manifest. */
  readonly platforms: readonly { readonly config: RenderedBlob; readonly manifest: RenderedBlob }[];
  readonly index: RenderedBlob;
  /** The bytes of the layout's `index.json`. */
  readonly outerIndex: Uint8Array;
}

/**
 * Every document of an image, in the bytes of BuildKit (IM-10 to IM-16).
 * @throws malformed `layers-and-history` when the history has another number of layers, `too-many-layers`
 */
export function renderImage(images: readonly PlatformImage[], naming: ImageNaming): RenderedImage {
  const platforms = images.map((image) => renderPlatformImage(image, naming));
  const manifests = platforms.map(({ manifest }, at) => withPlatform(manifest.descriptor, images[at]?.platform));
  const index = renderedBlob(mediaTypes.index, renderIndex(manifests));
  const outerIndex = renderOuterIndex({
    digest: index.descriptor.digest,
    size: index.descriptor.size,
    name: `docker.io/${naming.repository}:${naming.version}`,
    tag: naming.version,
    created: renderCreated(naming.epochSeconds),
  });
  return { platforms, index, outerIndex };
}

function renderPlatformImage(image: PlatformImage, naming: ImageNaming): RenderedImage["platforms"][number] {
  checkLayers(image, naming.repository);
  const { platform, layers, ...rest } = image;
  const configBytes = renderConfig(
    { ...rest, ...platform, diffIds: layers.map((layer) => layer.diffId) },
    naming.epochSeconds,
  );
  const config = renderedBlob(mediaTypes.config, configBytes);
  const manifestBytes = renderManifest({
    config: config.descriptor,
    layers: layers.map((layer) => layerDescriptor(layer, naming.epochSeconds)),
    annotations: {
      "containerd.io/distribution.source.docker.io": naming.repository,
      "org.opencontainers.image.created": renderCreated(naming.epochSeconds),
      "org.opencontainers.image.version": naming.version,
    },
  });
  return { config, manifest: renderedBlob(mediaTypes.manifest, manifestBytes) };
}

function layerDescriptor(layer: ImageLayer, epochSeconds: number): Descriptor {
  const annotations = { "buildkit/rewritten-timestamp": String(epochSeconds) };
  return { mediaType: mediaTypes.layerGzip, digest: layer.digest, size: layer.size, annotations };
}

function renderedBlob(mediaType: string, data: Uint8Array): RenderedBlob {
  return { descriptor: describeBlob(mediaType, data), data };
}

function withPlatform(descriptor: Descriptor, platform: DescriptorPlatform | undefined): Descriptor {
  return platform === undefined ? descriptor : { ...descriptor, platform };
}

function checkLayers(image: PlatformImage, subject: string): void {
  const found = image.layers.length;
  const expected = image.history.filter((entry) => !entry.empty_layer).length;
  if (found > limits.layers) {
    throw malformed({
      code: "too-many-layers",
      message: `expected at most ${limits.layers} layers, found ${found}`,
      subject,
    });
  }
  if (found === expected) return;
  throw malformed({
    code: "layers-and-history",
    message: `expected ${expected} layers, as the history says, found ${found}`,
    subject,
  });
}
