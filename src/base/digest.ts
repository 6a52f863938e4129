import { hash } from "node:crypto";

import { malformed } from "./errors.js";

/** A digest in the form of the OCI image specification; SHA-256 is the only algorithm taken. */
export type Digest = `sha256:${string}`;

const digestForm = /^sha256:[0-9a-f]{64}$/;
const hexForm = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return digestForm.test(text);
}

/** @throws malformed `bad-digest` when `raw` is not `sha256:` and 64 lower-case hexadecimal digits. */
export function parseDigest(raw: string, subject?: string): Digest {
  if (isDigest(raw)) return raw;
  throw malformed({
    code: "bad-digest",
    message: `expected sha256: and 64 lower-case hexadecimal digits, found ${JSON.stringify(raw.slice(0, 100))}`,
    subject,
  });
}

export function isSha256Hex(text: string): boolean {
  return hexForm.test(text);
}

export function digestOf(data: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", data, "hex")}`;
}

/** The 64 hexadecimal digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}
