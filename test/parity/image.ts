/** Reads an image out of an OCI layout for comparison, and shows it as text. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface ImageLayer {
  readonly digest: string;
  readonly diffId: string;
  readonly tar: Buffer;
}

export interface Image {
  /** The image index that `index.json` points at. */
  readonly indexDigest: string;
  readonly manifestDigest: string;
  readonly manifest: string;
  readonly configDigest: string;
  readonly config: string;
  readonly layers: readonly ImageLayer[];
}

interface Descriptor {
  readonly digest: string;
}

/** @param layout a folder with `index.json` and `blobs/sha256`. @throws when a blob is not what its digest says. */
export function readImage(layout: string): Image {
  const top = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: Descriptor[] };
  const indexDigest = only(top.manifests).digest;
  const index = JSON.parse(readBlob(layout, indexDigest).toString()) as { manifests: Descriptor[] };
  const manifestDigest = only(index.manifests).digest;
  const manifest = readBlob(layout, manifestDigest).toString();
  const parsed = JSON.parse(manifest) as { config: Descriptor; layers: Descriptor[] | null };
  const config = readBlob(layout, parsed.config.digest).toString();
  // BuildKit writes `null` where an image has no layers.
  const layers = (parsed.layers ?? []).map(({ digest }) => {
    const tar = gunzipSync(readBlob(layout, digest));
    return { digest, diffId: sha256(tar), tar };
  });
  return { indexDigest, manifestDigest, manifest, configDigest: parsed.config.digest, config, layers };
}

function only(descriptors: readonly Descriptor[]): Descriptor {
  const [first] = descriptors;
  if (first === undefined || descriptors.length > 1)
    throw new Error(`expected 1 descriptor, found ${descriptors.length}`);
  return first;
}

function readBlob(layout: string, digest: string): Buffer {
  const data = readFileSync(join(layout, "blobs", "sha256", digest.slice("sha256:".length)));
  if (sha256(data) !== digest) throw new Error(`${layout}: blob ${digest} hashes to ${sha256(data)}`);
  return data;
}

export function sha256(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Manifest (where asked for), configuration and each layer's members, one a line: what `expected.txt` of a case holds. */
export function describeImage(image: Image, options: { readonly manifest: boolean }): string {
  const layers = image.layers.map((layer, i) =>
    [`layer ${i + 1}  ${layer.diffId}  ${layer.tar.length} bytes`, ...listTar(layer.tar)].join("\n"),
  );
  const manifest = options.manifest ? [image.manifest] : [];
  return [...manifest, JSON.stringify(JSON.parse(image.config), null, 1), ...layers, ""].join("\n");
}

/**
 * One line a member: type, mode, owner, size, mtime, name, link target, first digits of the content's and of the raw
 * header blocks' SHA-256. Extension headers (PAX) are lines of their own.
 */
export function listTar(tar: Buffer): string[] {
  const lines: string[] = [];
  let at = 0;
  while (at + 512 <= tar.length && tar[at] !== 0) {
    const block = tar.subarray(at, at + 512);
    const size = parseInt(text(block, 124, 12), 8);
    const data = tar.subarray(at + 512, at + 512 + size);
    lines.push(`  ${describeMember(block, data)}`);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  lines.push(`  end: ${tar.length - at} bytes${tar.subarray(at).some((byte) => byte !== 0) ? " NOT ZERO" : ""}`);
  return lines;
}

function describeMember(block: Buffer, data: Buffer): string {
  const type = text(block, 156, 1);
  const prefix = text(block, 345, 155);
  const name = shown(prefix === "" ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`);
  const link = text(block, 157, 100);
  const fields = [text(block, 100, 8), `${text(block, 108, 8)}:${text(block, 116, 8)}`, text(block, 136, 12)];
  const content = type === "x" ? `  ${shown(data.toString("latin1"))}` : data.length > 0 ? `  =${short(data)}` : "";
  const device = type === "3" || type === "4" ? `  ${text(block, 329, 8)},${text(block, 337, 8)}` : "";
  const target = link === "" ? "" : ` -> ${shown(link)}`;
  return `${type} ${fields.join(" ")} ${data.length}  ${name}${target}${device}${content}  #${short(block)}`;
}

function text(block: Buffer, at: number, width: number): string {
  return block
    .subarray(at, at + width)
    .toString("latin1")
    .replace(/\0.*$/s, "");
}

function shown(latin1: string): string {
  // Anything but printable ASCII, so that the listing is plain text whatever a name holds.
  return latin1.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function short(data: Buffer): string {
  return sha256(data).slice(7, 15);
}
