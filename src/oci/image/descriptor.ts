import type { Digest } from "../../base/index.js";
import { compareText, digestOf } from "../../base/index.js";
import type { GoJson } from "./go-json.js";
import type { RawObject } from "./raw-json.js";

/** What a manifest is for. */
export interface DescriptorPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** A reference to a blob by its digest, as in the OCI image specification. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: DescriptorPlatform;
}

/** The descriptor of bytes that are at hand. */
export function describeBlob(mediaType: string, data: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(data), size: data.length };
}

/** The members of a descriptor in Go's order, its maps sorted by bytes. */
export function descriptorJson(descriptor: Descriptor): GoJson {
  const { mediaType, digest, size, annotations, platform } = descriptor;
  return {
    mediaType,
    digest,
    size,
    annotations: sortedMap(Object.entries(annotations ?? {})),
    platform:
      platform === undefined
        ? undefined
        : { architecture: platform.architecture, os: platform.os, variant: nonEmpty(platform.variant) },
  };
}

/** A map as Go prints it: members sorted by bytes, nothing at all when it is empty. */
export function sortedMap<Value extends GoJson>(
  members: Iterable<readonly [string, Value]>,
): ReadonlyMap<string, Value> | undefined {
  const sorted = new Map([...members].sort(([a], [b]) => compareText(a, b)));
  return sorted.size === 0 ? undefined : sorted;
}

/** Go's `omitempty` for a text. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** @throws malformed `bad-image-json`, `bad-digest` */
export function readDescriptor(raw: RawObject): Descriptor {
  raw.knows("mediaType", "digest", "size", "annotations", "platform", "urls", "data", "artifactType");
  const annotations = raw.textMap("annotations");
  const platform = raw.optionalObject("platform");
  return {
    mediaType: raw.text("mediaType"),
    digest: raw.digest("digest"),
    size: raw.integer("size"),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: readPlatform(platform) }),
  };
}

function readPlatform(raw: RawObject): DescriptorPlatform {
  raw.knows("os", "architecture", "variant");
  const variant = nonEmpty(raw.optionalText("variant"));
  const base = { os: raw.text("os"), architecture: raw.text("architecture") };
  return variant === undefined ? base : { ...base, variant };
}
