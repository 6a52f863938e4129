/**
 * Decides whether an image is what its digests say, by computing everything again. It trusts nothing but SHA-256; it does
 * not check who made the image, nor that the blobs are those that BuildKit would write.
 */
import { StagewrightError } from "../../base/index.js";
import type { Descriptor, Manifest, ReadImageConfig } from "../image/index.js";
import { blobKindOf, layerCompressionOf, parseConfig, parseIndex, parseManifest } from "../image/index.js";
import type { BlobSource } from "../layout/blob-source.js";
import { readVerifiedBlob, verifiedChunks } from "../layout/blob-source.js";
import { unpackLayer } from "./diff-id.js";

/** One fault of an image. */
export interface ImageFinding {
  /** Stable, for programs: the code of an error of the readers, or one of this check. */
  readonly code: string;
  /** The digest of the blob that is blamed, or a path. */
  readonly subject: string;
  readonly message: string;
}

const indexDepth = 4;

/** Everything that is wrong with the images that `entries` (of an `index.json`) lead to; nothing when all is proven. */
export async function validateImages(entries: readonly Descriptor[], blobs: BlobSource): Promise<ImageValidation> {
  const check = new ImageCheck(blobs);
  for (const entry of entries) await check.descriptor(entry, indexDepth);
  return { findings: check.findings, reached: check.reached };
}

export interface ImageValidation {
  readonly findings: readonly ImageFinding[];
  /** Digests of all blobs that the entries lead to. */
  readonly reached: ReadonlySet<string>;
}

class ImageCheck {
  readonly #blobs: BlobSource;
  readonly findings: ImageFinding[] = [];
  readonly reached = new Set<string>();

  constructor(blobs: BlobSource) {
    this.#blobs = blobs;
  }

  async descriptor(entry: Descriptor, depth: number): Promise<void> {
    if (this.reached.has(entry.digest)) return;
    this.reached.add(entry.digest);
    await this.#collect(entry.digest, async () => {
      const raw = readVerifiedBlob(this.#blobs, entry);
      if (blobKindOf(entry.mediaType) !== "index") return this.#image(parseManifest(raw, entry.digest), entry);
      const index = parseIndex(raw, entry.digest);
      this.#same("media-type", entry.mediaType, index.mediaType, entry.digest);
      if (depth === 0) this.#find("index-depth", entry.digest, `expected at most ${indexDepth} indexes in each other`);
      else for (const inner of index.manifests) await this.descriptor(inner, depth - 1);
    });
  }

  async #image(manifest: Manifest, entry: Descriptor): Promise<void> {
    this.#same("media-type", entry.mediaType, manifest.mediaType, entry.digest);
    this.reached.add(manifest.config.digest);
    let config: ReadImageConfig | undefined;
    await this.#collect(manifest.config.digest, async () => {
      config = parseConfig(readVerifiedBlob(this.#blobs, manifest.config), manifest.config.digest);
      this.#config(config, manifest, entry);
    });
    for (const [at, layer] of manifest.layers.entries()) await this.#layer(layer, config?.diffIds[at]);
  }

  #config(config: ReadImageConfig, manifest: Manifest, entry: Descriptor): void {
    const { digest } = manifest.config;
    this.#same("layers-and-config", manifest.layers.length, config.diffIds.length, digest);
    const written = config.history.filter((step) => !step.empty_layer).length;
    if (config.history.length > 0) this.#same("layers-and-history", config.diffIds.length, written, digest);
    if (entry.platform === undefined) return;
    const { os, architecture, variant } = entry.platform;
    const found = [config.os, config.architecture, config.variant].join("/");
    this.#same("platform", [os, architecture, variant].join("/"), found, digest);
  }

  async #layer(layer: Descriptor, diffId: string | undefined): Promise<void> {
    this.reached.add(layer.digest);
    const compression = layerCompressionOf(layer.mediaType);
    await this.#collect(layer.digest, async () => {
      if (this.#blobs.rawSize(layer.digest) === undefined) {
        this.#find("blob-missing", layer.digest, "expected the blob of a layer");
        return;
      }
      const chunks = verifiedChunks(this.#blobs, layer);
      if (compression === undefined || compression === "zstd") {
        for (const chunk of chunks) void chunk;
        this.#find(
          "layer-not-checked",
          layer.digest,
          `expected a layer that can be unpacked, found ${layer.mediaType}`,
        );
        return;
      }
      const unpacked = await unpackLayer(chunks, compression, layer.digest);
      if (diffId !== undefined) this.#same("diff-id", diffId, unpacked.diffId, layer.digest);
    });
  }

  async #collect(subject: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof StagewrightError)) throw error;
      this.#find(error.code, error.subject ?? subject, error.message);
    }
  }

  #same(code: string, expected: string | number, found: string | number, subject: string): void {
    if (expected !== found) this.#find(code, subject, `expected ${expected}, found ${found}`);
  }

  #find(code: string, subject: string, message: string): void {
    this.findings.push({ code, subject, message });
  }
}
