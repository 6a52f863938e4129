import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { StagewrightError } from "../../src/base/index.js";
import { mediaTypes, parseConfig, parseIndex, parseManifest } from "../../src/oci/index.js";

const digest = `sha256:${"0".repeat(64)}`;
const config = { mediaType: mediaTypes.config, digest, size: 1 };
const layer = { mediaType: mediaTypes.layerGzip, digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: mediaTypes.index,
  manifests: [{ ...layer, mediaType: mediaTypes.manifest }],
};
const image = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [digest] } };

function failure(parse: (raw: Uint8Array, subject: string) => unknown, document: unknown): string {
  const raw = typeof document === "string" ? document : JSON.stringify(document);
  try {
    parse(Buffer.from(raw, "latin1"), "evil");
  } catch (error) {
    if (!(error instanceof StagewrightError)) throw error;
    expect(error).toMatchObject({ kind: "malformed", subject: "evil" });
    return error.code;
  }
  return "taken";
}

describe("hostile manifests", () => {
  it.each<[string, unknown, string]>([
    ["as it should be", manifest, "taken"],
    [
      "of Docker's schema 2",
      { ...manifest, mediaType: "application/vnd.docker.distribution.manifest.v2+json" },
      "taken",
    ],
    ["no JSON", "{", "bad-image-json"],
    ["no UTF-8", '{"a":"\xff"}', "bad-image-json"],
    ["a byte order mark", `\xef\xbb\xbf${JSON.stringify(manifest)}`, "bad-image-json"],
    ["a list", [], "bad-image-json"],
    ["null", "null", "bad-image-json"],
    ["a member twice", `{"config":1,${JSON.stringify(manifest).slice(1)}`, "bad-image-json"],
    ["a member twice, once escaped", `{"\\u0063onfig":1,${JSON.stringify(manifest).slice(1)}`, "bad-image-json"],
    ["an inner member twice", JSON.stringify(manifest).replace('"size":1', '"size":1,"size":2'), "bad-image-json"],
    ["a member in another case", { ...manifest, Layers: [] }, "bad-image-json"],
    ["an index too", { ...manifest, manifests: [] }, "bad-image-json"],
    ["schema 1", { ...manifest, schemaVersion: 1 }, "bad-image-json"],
    ["an index's media type", { ...manifest, mediaType: mediaTypes.index }, "bad-media-type"],
    ["a foreign layer", { ...manifest, layers: [{ ...layer, mediaType: "application/x" }] }, "bad-media-type"],
    ["a config that is none", { ...manifest, config: layer }, "bad-media-type"],
    [
      "a digest that is a path",
      { ...manifest, config: { ...config, digest: "sha256:../../../etc/passwd" } },
      "bad-digest",
    ],
    ["a digest in capitals", { ...manifest, config: { ...config, digest: digest.toUpperCase() } }, "bad-digest"],
    ["another algorithm", { ...manifest, config: { ...config, digest: `md5:${"0".repeat(32)}` } }, "bad-digest"],
    ["a negative size", { ...manifest, layers: [{ ...layer, size: -1 }] }, "bad-image-json"],
    ["half a byte", { ...manifest, layers: [{ ...layer, size: 1.5 }] }, "bad-image-json"],
    [
      "a size beyond 2^53",
      JSON.stringify(manifest).replaceAll('"size":1', '"size":9007199254740993'),
      "bad-image-json",
    ],
    ["a size that is text", { ...manifest, layers: [{ ...layer, size: "1" }] }, "bad-image-json"],
    ["annotations that are no texts", { ...manifest, annotations: { a: 1 } }, "bad-image-json"],
    ["481 layers", { ...manifest, layers: Array.from({ length: 481 }, () => layer) }, "too-many-layers"],
    ["5 MiB", { ...manifest, annotations: { a: "x".repeat(5 << 20) } }, "bad-image-json"],
  ])("%s", (_name, document, expected) => {
    expect(failure(parseManifest, document)).toBe(expected);
  });

  it("cannot exhaust the stack", () => {
    expect(failure(parseManifest, `${"[".repeat(2e6)}${"]".repeat(2e6)}`)).toBe("bad-image-json");
    expect(failure(parseManifest, `{"schemaVersion":${"[".repeat(1e6)}${"]".repeat(1e6)}}`)).toBe("bad-image-json");
    expect(failure(parseManifest, `{"a":${'{"a":'.repeat(5e5)}1${"}".repeat(5e5)}}`)).toBe("bad-image-json");
  });

  it("cannot reach a prototype", () => {
    const parsed = parseManifest(
      Buffer.from(JSON.stringify(manifest).replace(/}$/, ',"annotations":{"__proto__":"x","constructor":"y"}}')),
      "evil",
    );
    expect(Object.entries(parsed.annotations ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it("are read in time that grows with their size", () => {
    const started = performance.now();
    failure(parseManifest, `{"a":"${"\\\\".repeat(2_000_000)}"}`);
    failure(parseManifest, `{"a":[${'"b",'.repeat(900_000)}"c"]}`);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("hostile indexes and configurations", () => {
  it.each<[string, unknown, string]>([
    ["as it should be", index, "taken"],
    ["a layer among the manifests", { ...index, manifests: [layer] }, "bad-media-type"],
    ["a manifest's layers", { ...index, layers: [] }, "bad-image-json"],
    [
      "1001 manifests",
      { ...index, manifests: Array.from({ length: 1001 }, () => index.manifests[0]) },
      "too-many-manifests",
    ],
    [
      "a platform without an architecture",
      { ...index, manifests: [{ ...index.manifests[0], platform: { os: "linux" } }] },
      "bad-image-json",
    ],
  ])("index: %s", (_name, document, expected) => {
    expect(failure(parseIndex, document)).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    ["as it should be", image, "taken"],
    ["without rootfs", { ...image, rootfs: undefined }, "bad-image-json"],
    ["another rootfs", { ...image, rootfs: { type: "x", diff_ids: [] } }, "bad-image-json"],
    ["a diff id that is none", { ...image, rootfs: { type: "layers", diff_ids: ["x"] } }, "bad-digest"],
    ["a time that is none", { ...image, created: "yesterday" }, "bad-image-json"],
    ["a month that is none", { ...image, created: "1970-13-01T00:00:00Z" }, "bad-image-json"],
    ["an environment that is text", { ...image, config: { Env: "A=b" } }, "bad-image-json"],
    ["diff_ids in another case", { ...image, rootfs: { ...image.rootfs, Diff_IDs: [] } }, "bad-image-json"],
    ["without a platform", { ...image, os: "" }, "bad-image-json"],
  ])("configuration: %s", (_name, document, expected) => {
    expect(failure(parseConfig, document)).toBe(expected);
  });

  it("end in a value or an error of ours, whatever they hold", () => {
    const value = fc.jsonValue();
    const document = fc.record(
      { ...Object.fromEntries(Object.keys({ ...manifest, ...index, ...image }).map((name) => [name, value])) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, (raw) => {
        for (const parse of [parseManifest, parseIndex, parseConfig])
          failure(parse, Buffer.from(JSON.stringify(raw)).toString("latin1"));
      }),
      { numRuns: 200 },
    );
  });
});
