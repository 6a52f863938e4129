/** Says in which part an image is not the one that BuildKit made, for a person to read. */
import { existsSync, readFileSync } from "node:fs";

import type { Answer } from "./answers.js";
import { describeImage, type Image } from "./image.js";

const shownLines = 60;

/**
 * @param expected path of the case's `expected.txt`.
 * @param peerImage the image as BuildKit wrote it, where it was kept: then raw layers are compared too.
 * @returns nothing when the image is as the answer says.
 */
export function differences(image: Image, answer: Answer, expected: string, peerImage: Image | undefined): string[] {
  if (answer.kind === "refused") return ["BuildKit refuses this build, and here it gave an image"];
  const diffIds = image.layers.map((layer) => layer.diffId);
  const expectedDiffIds = answer.kind === "newer" ? answer.diffIds : answer.layers.map((layer) => layer.diffId);
  const found = [
    ...(image.configDigest === answer.configDigest ? [] : ["the configuration differs"]),
    ...compareLists("diff id", diffIds, expectedDiffIds),
    ...(answer.kind === "newer" ? [] : compressedDifferences(image, answer)),
  ];
  if (found.length === 0) return [];
  const listing = describeImage(image, { manifest: answer.kind === "image" });
  const lines = existsSync(expected) ? lineDifferences(readFileSync(expected, "utf8"), listing) : [];
  const raw = peerImage === undefined ? [] : image.layers.flatMap((layer, i) => rawDifference(i, layer.tar, peerImage));
  return [...found, ...lines, ...raw];
}

function compressedDifferences(image: Image, answer: Extract<Answer, { kind: "image" }>): string[] {
  const same = image.layers.filter((layer, i) => layer.diffId === answer.layers[i]?.diffId);
  const blobs = same
    .filter((layer) => !answer.layers.some((l) => l.digest === layer.digest))
    .map((layer) => `the compressed bytes of layer ${layer.diffId} differ: the same tar, another gzip stream`);
  const rest = [
    ...(image.manifestDigest === answer.manifestDigest ? [] : ["the manifest differs"]),
    ...(image.indexDigest === answer.indexDigest ? [] : ["the index differs"]),
  ];
  return [...blobs, ...rest];
}

function compareLists(what: string, found: readonly string[], expected: readonly string[]): string[] {
  if (found.length !== expected.length) return [`expected ${expected.length} layers, found ${found.length}`];
  return found.flatMap((value, i) =>
    value === expected[i] ? [] : [`${what} of layer ${i + 1}: expected ${expected[i]}, found ${value}`],
  );
}

/** Lines that only one side has, by longest common subsequence. */
export function lineDifferences(expected: string, found: string): string[] {
  const a = expected.split("\n");
  const b = found.split("\n");
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`BuildKit: ${a[i++]}`);
    else lines.push(`found:    ${b[j++]}`);
  }
  return lines.length > shownLines ? [...lines.slice(0, shownLines), `… ${lines.length - shownLines} more`] : lines;
}

/** The first block that differs, in hexadecimal. */
function rawDifference(index: number, found: Buffer, peer: Image): string[] {
  const expected = peer.layers[index]?.tar;
  if (expected === undefined || found.equals(expected)) return [];
  let offset = 0;
  while (offset < found.length && found[offset] === expected[offset]) offset++;
  const from = offset - (offset % 16);
  const row = (data: Buffer) =>
    data
      .subarray(from, from + 32)
      .toString("hex")
      .replace(/(..)/g, "$1 ");
  return [
    `layer ${index + 1}: first difference at byte ${offset} (block ${Math.floor(offset / 512)}, field offset ${offset % 512})`,
    `  BuildKit ${row(expected)}`,
    `  found    ${row(found)}`,
  ];
}
