import { limits, malformed } from "../../base/index.js";
import type { Descriptor } from "./descriptor.js";
import { descriptorJson, readDescriptor, sortedMap } from "./descriptor.js";
import { renderGoJson } from "./go-json.js";
import { blobKindOf, mediaTypes } from "./media-types.js";
import { parseRawObject } from "./raw-json.js";

/** An image manifest of OCI, or of Docker's schema 2 when it was read. */
export interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const members = ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];

/** The manifest's bytes, indented by two blanks (IM-12). The media type is always that of OCI. */
export function renderManifest(manifest: Omit<Manifest, "mediaType">): Uint8Array {
  const value = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorJson(manifest.config),
    // Go writes an empty list that was never made as null.
    layers: manifest.layers.length === 0 ? null : manifest.layers.map(descriptorJson),
    annotations: sortedMap(Object.entries(manifest.annotations ?? {})),
  };
  return renderGoJson(value, "  ");
}

/**
 * Reads a manifest that anyone may have written. The caller has checked its digest.
 * @throws malformed `bad-image-json`, `bad-digest`, `bad-media-type`, `too-many-layers`
 */
export function parseManifest(raw: Uint8Array, subject: string): Manifest {
  const document = parseRawObject(raw, subject).knows(...members);
  checkVersion(document.integer("schemaVersion"), subject);
  // Schema 2 of Docker demands the member, OCI lets it out.
  const mediaType = document.optionalText("mediaType") ?? mediaTypes.manifest;
  checkKind(mediaType, "manifest", subject);
  // A document with both lists could pass for an index elsewhere.
  if (document.has("manifests")) throw document.fault("manifests", "no manifests in a manifest");
  const config = readDescriptor(document.object("config"));
  checkKind(config.mediaType, "config", subject);
  const layers = document.objects("layers").map(readDescriptor);
  if (layers.length > limits.layers) {
    throw malformed({
      code: "too-many-layers",
      message: `expected at most ${limits.layers} layers, found ${layers.length}`,
      subject,
    });
  }
  for (const layer of layers) checkKind(layer.mediaType, "layer", subject);
  const annotations = document.textMap("annotations");
  return annotations === undefined ? { mediaType, config, layers } : { mediaType, config, layers, annotations };
}

/** @throws malformed `bad-image-json` for anything but schema version 2 */
export function checkVersion(version: number, subject: string): void {
  if (version === 2) return;
  throw malformed({
    code: "bad-image-json",
    message: `expected schemaVersion 2, found ${version}`,
    subject,
    hint: "images of Docker's schema 1 are not read; convert the image with skopeo copy",
  });
}

/** @throws malformed `bad-media-type` when the media type is not known to be one of the kind */
export function checkKind(mediaType: string, kind: ReturnType<typeof blobKindOf>, subject: string): void {
  if (blobKindOf(mediaType) === kind) return;
  throw malformed({
    code: "bad-media-type",
    message: `expected the media type of an OCI or Docker ${kind ?? "blob"}, found ${JSON.stringify(mediaType.slice(0, 100))}`,
    subject,
  });
}
