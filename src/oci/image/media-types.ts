/** Media types of the OCI image specification: the only ones that are written. */
export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerTar: "application/vnd.oci.image.layer.v1.tar",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

/** What a blob is, whichever of the two families of media types names it. */
export type BlobKind = "index" | "manifest" | "config" | "layer";

/** How the tar of a layer is compressed. */
export type LayerCompression = "gzip" | "none" | "zstd";

/** Docker's image manifest version 2, schema 2: taken on reading, never written. */
const dockerPrefix = "application/vnd.docker.";

const kinds: ReadonlyMap<string, BlobKind> = new Map([
  [mediaTypes.index, "index"],
  [mediaTypes.manifest, "manifest"],
  [mediaTypes.config, "config"],
  [`${dockerPrefix}distribution.manifest.list.v2+json`, "index"],
  [`${dockerPrefix}distribution.manifest.v2+json`, "manifest"],
  [`${dockerPrefix}container.image.v1+json`, "config"],
]);

const compressions: ReadonlyMap<string, LayerCompression> = new Map([
  [mediaTypes.layerGzip, "gzip"],
  [mediaTypes.layerTar, "none"],
  [mediaTypes.layerZstd, "zstd"],
  [`${dockerPrefix}image.rootfs.diff.tar.gzip`, "gzip"],
  [`${dockerPrefix}image.rootfs.diff.tar`, "none"],
]);

/** What a media type stands for; undefined for one that we do not know. Non-distributable layers are not known. */
export function blobKindOf(mediaType: string): BlobKind | undefined {
  return kinds.get(mediaType) ?? (compressions.has(mediaType) ? "layer" : undefined);
}

/** The compression of a layer by its media type; undefined where it is no layer's. */
export function layerCompressionOf(mediaType: string): LayerCompression | undefined {
  return compressions.get(mediaType);
}
