import { expect, test } from "vitest";

import { parsePlatform } from "../graph/index.js";
import { parseContainerfile } from "../tree/index.js";
import { planImage, type KnownImage } from "./build-image.js";

function plan(text: string, platform: string, imagePlatform = platform) {
  const made = parsePlatform(imagePlatform);
  const image: KnownImage = { platform: made, config: {}, history: [], layers: [], blobPath: () => "/nonexistent" };
  return planImage({
    ...{ target: "user-x", file: parseContainerfile(text, "Containerfile"), fileName: "Containerfile", text },
    platform: parsePlatform(platform),
    buildArguments: new Map(),
    targetStage: undefined,
    contexts: new Map([["", { folder: undefined, placed: [], ignore: [] }]]),
    images: new Map([["stagex/core-x", image]]),
    ...{ secrets: {}, networkAllowed: false, noCache: false },
    output: { folder: "/nonexistent", repository: "stagex/user-x", version: "1" },
  });
}

test("PL-7: a FROM gets an image of the target's platform, however that is spelt", () => {
  expect(plan("FROM --platform=linux/amd64 stagex/core-x\n", "linux/amd64").result).toEqual({
    kind: "image",
    image: "stagex/core-x",
  });
  expect(plan("FROM --platform=linux/aarch64 stagex/core-x\n", "linux/arm64/v8").platform.architecture).toBe("arm64");
});

test("PL-7: a FROM may name an image of another platform, and gets none but that", () => {
  const other = plan("FROM --platform=linux/386 stagex/core-x\n", "linux/amd64", "linux/386");
  expect(other.result).toMatchObject({ kind: "image", image: "stagex/core-x" });
  expect(plan("FROM stagex/core-x\n", "linux/amd64", "linux/386").result).toMatchObject({ kind: "image" });
  expect(() => plan("FROM --platform=linux/arm64 stagex/core-x\n", "linux/amd64")).toThrow(
    expect.objectContaining({ kind: "malformed", code: "image-platform" }),
  );
  expect(() => plan("FROM stagex/core-x\n", "linux/386", "linux/amd64")).toThrow(
    expect.objectContaining({ kind: "malformed", code: "image-platform" }),
  );
  expect(() => plan("FROM stagex/core-y\n", "linux/amd64")).toThrow(
    expect.objectContaining({ kind: "malformed", code: "unknown-image" }),
  );
});
