/** A cache that somebody damaged or made up: it may cost time, and never a crash or a wrong answer. Rule TR-63. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";

import { load, packageFiles, temporaryFolder, writeTree, type LoadOptions } from "../tree/tree-fixture.js";

const uid = process.getuid?.() ?? 0;
const files = {
  ...packageFiles("core-a", "FROM scratch\n"),
  ...packageFiles(
    "user-b",
    "FROM stagex/core-a AS package-one\n",
    'version = "1"\nsubpackages = ["one"]\ncolour = 2\n',
  ),
};

interface Warm {
  readonly root: string;
  readonly cache: NonNullable<LoadOptions["cache"]>;
  readonly path: string;
  readonly raw: Buffer;
  readonly expected: string;
}

function warm(): Warm {
  const root = writeTree(files);
  const cache = { directory: temporaryFolder(), uid, tool: "stagewright 1" };
  const expected = answer(root, { cache, ahead: 60_000 });
  const path = join(cache.directory, readdirSync(cache.directory)[0] ?? "");
  return { root, cache, path, raw: readFileSync(path), expected };
}

function answer(root: string, options: LoadOptions): string {
  const { graph, packages } = load(root, options);
  return JSON.stringify([[...graph.targets], graph.problems, packages]);
}

/** A cache whose head is right, so that only its form can be wrong. */
function sealed(body: string): string {
  return `stagewright-tree-cache 1 ${createHash("sha256").update(body).digest("hex")}\n${body}`;
}

test("cut off, flipped, empty and foreign bytes are not used", () => {
  const { root, cache, path, raw, expected } = warm();
  fc.assert(
    fc.property(fc.nat({ max: raw.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
      const damaged = cut ? raw.subarray(0, at) : Buffer.from(raw);
      if (!cut) damaged[at] = (damaged[at] ?? 0) ^ flip;
      writeFileSync(path, damaged);
      expect(answer(root, { cache })).toBe(expected);
    }),
    { numRuns: 60 },
  );
  for (const foreign of ["", "\n", "null", sealed("null"), sealed("[]"), sealed("{"), sealed('{"packages":[]}')]) {
    writeFileSync(path, foreign);
    expect(answer(root, { cache })).toBe(expected);
  }
});

test("values of another kind anywhere are not used, though the head is right", () => {
  const { root, cache, path, raw, expected } = warm();
  const body = raw.subarray(raw.indexOf("\n") + 1).toString();
  const places = pathsOf(JSON.parse(body), []).filter((place) => place.length > 0);
  const wrong = fc.constantFrom<unknown>(null, 0, -1, 1.5, "", "\u0000", [], {}, [[]], { length: 1 }, true);
  fc.assert(
    fc.property(fc.nat({ max: places.length - 1 }), wrong, (index, value) => {
      const place = places[index] ?? [];
      writeFileSync(path, sealed(JSON.stringify(replaced(JSON.parse(body), place, value))));
      // Texts may be exchanged for texts by whoever may write the cache: that is why nobody else may (TR-64).
      const text = typeof value === "string";
      if (text) expect(() => answer(root, { cache })).not.toThrow();
      else expect(sameOrAnew(answer(root, { cache }), expected, place)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

/** Emptied lists and dropped options are well formed, so they only have to leave the program standing. */
function sameOrAnew(found: string, expected: string, place: readonly (string | number)[]): boolean {
  return found === expected || place.includes("tree");
}

test("a link in the cache's place is not followed", () => {
  const { root, cache, path, expected } = warm();
  const victim = join(temporaryFolder(), "victim");
  writeFileSync(victim, "precious");
  unlinkSync(path);
  symlinkSync(victim, path);
  expect(answer(root, { cache })).toBe(expected);
  expect(readFileSync(victim, "utf8")).toBe("precious");
});

test("packages named like members of JavaScript's own objects are not found in the cache", () => {
  const { root, cache, path, expected } = warm();
  writeFileSync(
    path,
    sealed(`{"tool":"stagewright 1","root":${JSON.stringify(root)},"checkedAt":9e15,"packages":{"__proto__":{}}}`),
  );
  expect(answer(root, { cache })).toBe(expected);
});

function pathsOf(value: unknown, path: readonly (string | number)[]): readonly (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === key ? replaced(item, rest, by) : item));
  const record = value as Record<string, unknown>;
  return { ...record, [key]: replaced(record[key], rest, by) };
}
