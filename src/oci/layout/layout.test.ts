import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { digestOf, hexOf, toByteString } from "../../base/index.js";
import type { PlatformImage, RenderedImage } from "../image/index.js";
import { renderImage } from "../image/index.js";
import type { LayerEntry } from "../layer/index.js";
import { writeLayerTar } from "../layer/index.js";
import { validateLayout } from "../validate/index.js";
import type { LayerBlob, LayoutWriteFiles } from "./index.js";
import { readImage, readLayout, readVerifiedBlob, writeLayout } from "./index.js";

let scratch = "";
beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "stagewright-layout-"));
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

const amd64 = { os: "linux", architecture: "amd64" };

/** A layer with one file, compressed by Node: the bytes of the gzip stream are of no matter here. */
function layerOf(text: string): LayerBlob & { readonly diffId: ReturnType<typeof digestOf> } {
  const data = Buffer.from(text);
  const entry: LayerEntry = {
    type: "file",
    path: "f",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1,
    mtimeNanoseconds: 0,
    size: data.length,
    content: { kind: "bytes", data },
  };
  const chunks: Buffer[] = [];
  writeLayerTar([entry], { files: fs, clamp: { epochSeconds: 1 } }, (chunk) => chunks.push(Buffer.from(chunk)));
  const tar = Buffer.concat(chunks);
  const blob = gzipSync(tar);
  const path = join(scratch, `layer-${hexOf(digestOf(blob))}`);
  fs.writeFileSync(path, blob);
  return { diffId: digestOf(tar), digest: digestOf(blob), size: blob.length, path: toByteString(path) };
}

function imageOf(layers: readonly ReturnType<typeof layerOf>[], platforms = [amd64]): RenderedImage {
  const images = platforms.map((platform): PlatformImage => ({
    platform,
    config: { Env: ["PATH=/bin"], WorkingDir: "/" },
    history: layers.map(() => ({
      created_by: "COPY f / # buildkit",
      comment: "buildkit.dockerfile.v0",
      empty_layer: false,
    })),
    layers,
  }));
  return renderImage(images, { repository: "stagex/core-test", version: "1.2", epochSeconds: 1 });
}

function write(name: string, layers: readonly ReturnType<typeof layerOf>[], files: LayoutWriteFiles = fs): string {
  const folder = join(scratch, "out", name);
  writeLayout({ folder, image: imageOf(layers), layers }, files);
  return folder;
}

function filesOf(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const plain = names.filter((name) => fs.statSync(join(folder, name)).isFile());
  return Object.fromEntries(plain.map((name) => [name, digestOf(fs.readFileSync(join(folder, name)))]));
}

describe("writeLayout (IM-40)", () => {
  it("writes a layout that is proven throughout, the same twice", async () => {
    const layers = [layerOf("one"), layerOf("two"), layerOf("one")];
    const first = filesOf(write("first", layers));
    expect(filesOf(write("second", layers))).toEqual(first);
    // index, manifest, config, and two layers, for one stands twice
    expect(Object.keys(first).filter((name) => name.startsWith("blobs/"))).toHaveLength(5);
    expect(await validateLayout(join(scratch, "out/first"), fs)).toEqual([]);
  });

  it("puts a new image in the place of an old one and leaves no blob of it", async () => {
    write("replaced", [layerOf("old"), layerOf("same")]);
    const folder = write("replaced", [layerOf("new"), layerOf("same")]);
    expect(await validateLayout(folder, fs)).toEqual([]);
    expect(Object.keys(filesOf(folder))).toHaveLength(7);
  });

  it("holds the old image, whole, whenever it is interrupted before index.json", async () => {
    const steps = ["openSync", "fsyncSync", "renameSync", "writeSync"] as const;
    for (const step of steps) {
      for (const nth of [1, 2, 3, 5]) {
        const folder = write(`cut-${step}-${nth}`, [layerOf("old")]);
        const before = fs.readFileSync(join(folder, "index.json"), "utf8");
        let calls = 0;
        const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        const broken: LayoutWriteFiles = {
          ...fs,
          [step]: (...args: unknown[]) => {
            if (++calls === nth) throw full;
            return (fs[step] as (...all: unknown[]) => unknown)(...args);
          },
        };
        expect(() => write(`cut-${step}-${nth}`, [layerOf("new")], broken)).toThrow(
          expect.objectContaining({ kind: "unavailable", code: "layout-unwritable" }),
        );
        expect(fs.readFileSync(join(folder, "index.json"), "utf8")).toBe(before);
        const findings = await validateLayout(folder, fs);
        expect(findings.filter(({ code }) => code !== "stray-blob")).toEqual([]);
        // The next run mends it.
        expect(await validateLayout(write(`cut-${step}-${nth}`, [layerOf("new")]), fs)).toEqual([]);
      }
    }
  });

  it.each([
    ["other bytes of the same size", "blob-digest", (blob: Buffer) => blob.fill(0x61, 20, 30)],
    ["fewer bytes", "blob-size", (blob: Buffer) => blob.subarray(1)],
    ["more bytes", "blob-size", (blob: Buffer) => Buffer.concat([blob, blob])],
  ])("refuses a layer with %s", (name, code, damage) => {
    const layer = layerOf(`damaged ${name}`);
    fs.writeFileSync(layer.path, damage(fs.readFileSync(layer.path)));
    expect(() => write("damaged", [layer])).toThrow(expect.objectContaining({ kind: "rejected", code }));
    expect(fs.existsSync(join(scratch, "out/damaged/index.json"))).toBe(false);
  });

  it("does not follow a link that somebody put where a blob is written", () => {
    const layer = layerOf("linked");
    const blobs = join(scratch, "out/linked/blobs/sha256");
    fs.mkdirSync(blobs, { recursive: true });
    const victim = join(scratch, "victim");
    fs.writeFileSync(victim, "precious");
    fs.symlinkSync(victim, join(blobs, `${hexOf(layer.digest)}.partial`));
    fs.symlinkSync(victim, join(blobs, hexOf(layer.digest)));
    write("linked", [layer]);
    expect(fs.readFileSync(victim, "utf8")).toBe("precious");
  });
});

describe("readImage", () => {
  it("finds the image of a platform and proves its documents", () => {
    const layer = layerOf("x");
    const image = imageOf([layer], [amd64, { os: "linux", architecture: "386" }]);
    const folder = join(scratch, "out/two");
    writeLayout({ folder, image, layers: [layer] }, fs);
    const layout = readLayout(folder, fs);
    const found = readImage(layout, { os: "linux", architecture: "386" }, "1.2");
    expect(found.descriptor.digest).toBe(image.platforms[1]?.manifest.descriptor.digest);
    expect(found.config.diffIds).toEqual([layer.diffId]);
    expect(() => readImage(layout, { os: "linux", architecture: "arm64" })).toThrow(
      expect.objectContaining({ code: "platform-not-found" }),
    );
    expect(() => readImage(layout, amd64, "9")).toThrow(expect.objectContaining({ code: "image-not-found" }));
  });

  it("refuses a document that was replaced", () => {
    const folder = write("forged", [layerOf("y")]);
    const layout = readLayout(folder, fs);
    const [entry] = layout.index.manifests;
    if (entry === undefined) throw new Error("expected an entry");
    const path = layout.blobPath(entry.digest);
    fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace("amd64", "arm64"));
    expect(() => readVerifiedBlob(layout, entry)).toThrow(
      expect.objectContaining({ kind: "rejected", code: "blob-digest" }),
    );
    expect(() => readImage(layout, amd64)).toThrow(expect.objectContaining({ code: "blob-digest" }));
  });

  it("says what is missing of a folder that is no layout", () => {
    expect(() => readLayout(join(scratch, "nowhere"), fs)).toThrow(
      expect.objectContaining({ kind: "unavailable", code: "layout-unreadable" }),
    );
  });
});

describe("validateLayout", () => {
  function damaged(name: string, damage: (folder: string, layer: ReturnType<typeof layerOf>) => void) {
    const layer = layerOf(name);
    const folder = write(name, [layer]);
    damage(folder, layer);
    return validateLayout(folder, fs).then((findings) => findings.map(({ code }) => code));
  }
  const blob = (folder: string, digest: `sha256:${string}`): string => join(folder, "blobs/sha256", hexOf(digest));

  it("reports all that is wrong, not the first only", async () => {
    const codes = await damaged("many", (folder, layer) => {
      fs.rmSync(blob(folder, layer.digest));
      fs.writeFileSync(join(folder, "blobs/sha256/stray"), "x");
      const { config } = readImage(readLayout(folder, fs), amd64).manifest;
      fs.appendFileSync(blob(folder, config.digest), " ");
    });
    expect(codes).toEqual(["blob-size", "blob-missing", "stray-blob"]);
  });

  it.each<[string, (data: Buffer) => Buffer, string]>([
    ["is damaged", (data) => Buffer.concat([data.subarray(0, -1), Buffer.from([1])]), "bad-gzip"],
    ["is no gzip stream", (data) => Buffer.alloc(data.length), "bad-gzip"],
  ])("reports a layer that %s", async (name, damage, code) => {
    const codes = await damaged(`layer ${name}`, (folder, layer) => {
      const path = blob(folder, layer.digest);
      fs.writeFileSync(path, damage(fs.readFileSync(path)));
    });
    expect(["blob-digest", code]).toContain(codes[0]);
    expect(codes).toHaveLength(1);
  });

  it("reports layers whose digest is right and whose content is not what the configuration says", async () => {
    const [right, other] = [layerOf("right"), layerOf("other")];
    const folder = join(scratch, "out/swapped");
    writeLayout({ folder, image: imageOf([{ ...right, diffId: other.diffId }]), layers: [right] }, fs);
    expect((await validateLayout(folder, fs)).map(({ code }) => code)).toEqual(["diff-id"]);
  });

  it("reports bytes hidden behind a gzip stream", async () => {
    const layer = layerOf("hidden");
    const data = Buffer.concat([fs.readFileSync(layer.path), Buffer.from("\0hidden bytes")]);
    fs.writeFileSync(layer.path, data);
    const forged = { ...layer, digest: digestOf(data), size: data.length };
    const folder = join(scratch, "out/hidden");
    writeLayout({ folder, image: imageOf([forged]), layers: [forged] }, fs);
    expect((await validateLayout(folder, fs)).map(({ code }) => code)).toEqual(["gzip-trailing-bytes"]);
  });
});

describe("skopeo", () => {
  const isMissing = spawnSync("skopeo", ["--version"]).error !== undefined;
  if (isMissing) console.warn("skopeo is missing: the layouts are not shown to it (apt-get install skopeo)");

  it.skipIf(isMissing && process.env["CI"] !== "true")("reads the layouts", () => {
    const layers = [layerOf("for skopeo")];
    const folder = write("skopeo", layers);
    const inspected = JSON.parse(
      execFileSync("skopeo", ["inspect", `oci:${folder}:1.2`], { encoding: "utf8" }),
    ) as Record<string, unknown>;
    expect(inspected).toMatchObject({
      Architecture: "amd64",
      Os: "linux",
      Env: ["PATH=/bin"],
      Layers: [layers[0]?.digest],
    });
    execFileSync("skopeo", ["copy", "--quiet", `oci:${folder}:1.2`, `dir:${join(scratch, "copied")}`]);
    expect(fs.existsSync(join(scratch, "copied", hexOf(layers[0]?.digest ?? "sha256:")))).toBe(true);
  });
});
