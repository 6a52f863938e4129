import type { Digest } from "../../base/index.js";
import { limits, malformed } from "../../base/index.js";
import type { Descriptor } from "./descriptor.js";
import { descriptorJson, readDescriptor } from "./descriptor.js";
import { renderGoJson } from "./go-json.js";
import { checkKind, checkVersion } from "./manifest.js";
import { blobKindOf, mediaTypes } from "./media-types.js";
import { parseRawObject } from "./raw-json.js";

/** An image index of OCI, or a manifest list of Docker's when it was read. */
export interface ImageIndex {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the outer index of a layout says of the image in it. */
export interface OuterIndex {
  readonly digest: Digest;
  readonly size: number;
  /** With registry and tag: `docker.io/PREFIX/TARGET:VERSION`. */
  readonly name: string;
  /** The tag alone. */
  readonly tag: string;
  /** RFC 3339, UTC, whole seconds. */
  readonly created: string;
}

const members = ["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"];

/** The bytes of the index that lists one manifest for each platform, indented by two blanks (IM-13). */
export function renderIndex(manifests: readonly Descriptor[]): Uint8Array {
  return renderGoJson(indexJson(manifests), "  ");
}

/** The bytes of a layout's `index.json`, one line (IM-14): it lists the index of {@link renderIndex}. */
export function renderOuterIndex(outer: OuterIndex): Uint8Array {
  const annotations = {
    "io.containerd.image.name": outer.name,
    "org.opencontainers.image.created": outer.created,
    "org.opencontainers.image.ref.name": outer.tag,
  };
  const { digest, size } = outer;
  return renderGoJson(indexJson([{ mediaType: mediaTypes.index, digest, size, annotations }]));
}

function indexJson(manifests: readonly Descriptor[]) {
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests: manifests.map(descriptorJson) };
}

/**
 * Reads an index that anyone may have written. Its entries may be manifests or further indexes.
 * @throws malformed `bad-image-json`, `bad-digest`, `bad-media-type`, `too-many-manifests`
 */
export function parseIndex(raw: Uint8Array, subject: string): ImageIndex {
  const document = parseRawObject(raw, subject).knows(...members);
  checkVersion(document.integer("schemaVersion"), subject);
  const mediaType = document.optionalText("mediaType") ?? mediaTypes.index;
  checkKind(mediaType, "index", subject);
  for (const name of ["config", "layers"]) {
    if (document.has(name)) throw document.fault(name, "nothing of a manifest in an index");
  }
  const manifests = document.objects("manifests").map(readDescriptor);
  if (manifests.length > limits.indexManifests) {
    throw malformed({
      code: "too-many-manifests",
      message: `expected at most ${limits.indexManifests} manifests, found ${manifests.length}`,
      subject,
    });
  }
  for (const { mediaType: listed } of manifests) {
    if (blobKindOf(listed) !== "index") checkKind(listed, "manifest", subject);
  }
  const annotations = document.textMap("annotations");
  return annotations === undefined ? { mediaType, manifests } : { mediaType, manifests, annotations };
}
