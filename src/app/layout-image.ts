/** An OCI layout as an image that a build can stand on. */
import type { FileSystem } from "../base/index.js";
import { malformed } from "../base/index.js";
import type { ImageLayer, Platform } from "../graph/index.js";
import { layerCompressionOf, readImage, readLayout } from "../oci/index.js";
import type { KnownImage } from "./build-image.js";

/**
 * @param folder an OCI layout with one image; its layers are checked when they are first used.
 * @throws malformed, rejected or unavailable as reading the layout does; malformed `layer-compression`
 */
export function readLayoutImage(folder: string, platform: Platform, files: FileSystem): KnownImage {
  const layout = readLayout(folder, files);
  const { config, manifest } = readImage(layout, platform);
  const layers = manifest.layers.map((descriptor, index): ImageLayer => {
    if (layerCompressionOf(descriptor.mediaType) !== "gzip") {
      throw malformed({
        code: "layer-compression",
        message: `expected a layer compressed by gzip, found ${descriptor.mediaType}`,
        subject: descriptor.digest,
        hint: "write the layout again with gzip layers, for instance by skopeo copy --dest-compress-format gzip",
      });
    }
    const diffId = config.diffIds[index];
    if (diffId === undefined) throw new Error(`no diff id for layer ${String(index)}`);
    return { digest: descriptor.digest, size: descriptor.size, diffId };
  });
  const { author, history } = config;
  const base = { config: config.config, history, ...(author === undefined ? {} : { author }) };
  return { ...base, platform, layers, blobPath: (layer) => layout.blobPath(layer.digest) };
}
