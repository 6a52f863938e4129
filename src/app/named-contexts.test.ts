import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

import { afterEach, beforeEach, expect, test } from "vitest";

import { parsePlatform } from "../graph/index.js";
import { nodeFileSystem } from "../host/index.js";
import { renderImage, writeLayout } from "../oci/index.js";
import { NamedContexts, parseNamedContext } from "./named-contexts.js";

const platform = parsePlatform("linux/amd64");
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/named-contexts-`);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function identityOf(image: { readonly config?: { readonly User: string }; readonly author?: string }): string {
  const rendered = renderImage([{ platform, config: {}, history: [], layers: [], ...image }], {
    ...{ repository: "a/b", version: "1", epochSeconds: 1 },
  });
  writeLayout({ folder, image: rendered, layers: [] }, nodeFileSystem);
  const context = { name: "a/b", kind: "layout", folder } as const;
  return JSON.stringify(new NamedContexts([context], nodeFileSystem, 0).identity(platform));
}

test("all that a FROM takes over from an image is part of the key: PL-6 names the author too", () => {
  const images = [{}, { author: "a" }, { author: "b" }, { config: { User: "1:1" } }];
  const identities = images.map(identityOf);
  expect(new Set(identities).size).toBe(images.length);
  expect(images.map(identityOf)).toEqual(identities);
});

test.each([
  ["a/b=DIR", { name: "a/b", kind: "folder", folder: "/here/DIR" }],
  ["docker.io/library/a:latest=oci-layout://x=y", { name: "a", kind: "layout", folder: "/here/x=y" }],
])("--build-context %s", (value, context) => {
  expect(parseNamedContext(value, (path) => `/here/${path}`)).toEqual(context);
});

test.each(["", "a", "=x", "a=", "a=oci-layout://", "A B=x"])("--build-context %j is refused", (value) => {
  expect(() => parseNamedContext(value, (path) => path)).toThrow(
    expect.objectContaining({ code: "bad-build-context", subject: "--build-context" }),
  );
});
