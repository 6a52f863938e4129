import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { ImageConfig, ImageLayer, PlatformImage, RenderedImage } from "./index.js";
import { parseConfig, parseIndex, parseManifest, renderConfig, renderImage } from "./index.js";

// Provenance: test/known-answers/image/README.md.
const answers = join(import.meta.dirname, "../../../test/known-answers/image");
const naming = { repository: "stagex/t", version: "latest", epochSeconds: 1 };
const defaultEnv = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function known(name: string): Buffer {
  return readFileSync(join(answers, name));
}

function expectDocuments(image: RenderedImage, folder: string): void {
  for (const [at, { config, manifest }] of image.platforms.entries()) {
    expect(Buffer.from(config.data).toString()).toBe(known(`${folder}/config-${at}`).toString());
    expect(Buffer.from(manifest.data).toString()).toBe(known(`${folder}/manifest-${at}`).toString());
  }
  expect(Buffer.from(image.index.data).toString()).toBe(known(`${folder}/index`).toString());
  expect(Buffer.from(image.outerIndex).toString()).toBe(known(`${folder}/outer-index`).toString());
}

function layersOf(manifest: string, config: string): ImageLayer[] {
  const { diffIds } = parseConfig(known(config), config);
  return parseManifest(known(manifest), manifest).layers.map(({ digest, size }, at) => {
    const diffId = diffIds[at];
    if (diffId === undefined) throw new Error(`expected a diff id for layer ${at}`);
    return { digest, size, diffId };
  });
}

const step = (created_by: string, empty_layer = true) => ({
  created_by,
  comment: "buildkit.dockerfile.v0",
  empty_layer,
});

describe("documents of a real BuildKit (IM-11 to IM-16)", () => {
  it("with every member of config", () => {
    const image: PlatformImage = {
      platform: { os: "linux", architecture: "amd64" },
      config: {
        User: "1:2",
        ExposedPorts: ["80/tcp", "443/udp", "9/tcp"],
        Env: [defaultEnv, "A=x<y>&z", "B=é", "C= "],
        Entrypoint: ["/e"],
        Cmd: ["c", "d"],
        Volumes: ["/zdata", "/adata"],
        WorkingDir: "/w",
        Labels: { z: "1", a: "2 3", c: 'tab\tq"uote', d: "back\\slash", E: "</script>", _x: "v" },
        StopSignal: "SIGTERM",
        ArgsEscaped: true,
        Healthcheck: { Test: ["CMD-SHELL", "a b"], Interval: 5e9, Timeout: 3e9, StartPeriod: 1e9, Retries: 3 },
        Shell: ["/bin/sh", "-e", "-c"],
      },
      history: [
        step("ENV A=x<y>&z B=é C= "),
        step("USER 1:2"),
        step("EXPOSE map[443/udp:{} 80/tcp:{} 9/tcp:{}]"),
        step("VOLUME [/zdata /adata]"),
        step("WORKDIR /w", false),
        step('LABEL z=1 a=2 3 c=tab\tq"uote d=back\\slash E=</script> _x=v'),
        step("STOPSIGNAL SIGTERM"),
        step(`HEALTHCHECK &{["CMD-SHELL" "a b"] "5s" "3s" "1s" "0s" '\\x03'}`),
        step("SHELL [/bin/sh -e -c]"),
        step('ENTRYPOINT ["/e"]'),
        step('CMD ["c" "d"]'),
        step("COPY <<EOT /f # buildkit", false),
      ],
      layers: layersOf("settings/manifest-0", "settings/config-0"),
    };
    expectDocuments(renderImage([image], naming), "settings");
  });

  it("for three platforms, with an author and labels that Go escapes", () => {
    const labels = {
      "10": "x",
      "9": "y",
      b: "bs\bff\fdel\x7fesc\x1b",
      u: "a\u2028b\u2029c",
      bad: "x\ufffd\ufffdy",
      nul: "é😀",
    };
    const shown = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    const images = [
      { os: "linux", architecture: "arm", variant: "v7" },
      { os: "linux", architecture: "arm64" },
      { os: "linux", architecture: "386" },
    ].map((platform, at): PlatformImage => {
      const order = ["10", "9", "b", "u", "bad", "nul"].map((name) => shown.find(([other]) => other === name));
      return {
        platform,
        author: "Ann <a@b.c>",
        config: { Env: [defaultEnv], WorkingDir: "/", Labels: labels, ArgsEscaped: true, Entrypoint: [], Cmd: [] },
        history: [
          step("MAINTAINER Ann <a@b.c>"),
          step(`LABEL ${order.map((pair) => pair?.join("=")).join(" ")}`),
          step("ENTRYPOINT []"),
          step("CMD []"),
          step("COPY <<E /f # buildkit", false),
        ],
        layers: layersOf(`platforms/manifest-${at}`, `platforms/config-${at}`),
      };
    });
    expectDocuments(renderImage(images, naming), "platforms");
  });

  it("on a base image whose times are later: they are clamped (IM-16)", () => {
    const base = parseConfig(known("base/base-config"), "base");
    expect(base.created).toBe("2026-11-22T07:28:14.573532098Z");
    const image: PlatformImage = {
      platform: { os: base.os, architecture: base.architecture },
      config: base.config,
      history: [...base.history, step("COPY script2.sh /y/ # buildkit", false)],
      layers: layersOf("base/manifest-0", "base/config-0"),
    };
    expectDocuments(renderImage([image], naming), "base");
  });

  it.each(["settings/config-0", "platforms/config-0", "platforms/config-2", "base/config-0"])(
    "%s is rendered as it was read",
    (name) => {
      expect(Buffer.from(renderConfig(parseConfig(known(name), name), 1)).toString()).toBe(known(name).toString());
    },
  );

  it("are read back", () => {
    const index = parseIndex(known("platforms/index"), "index");
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { os: "linux", architecture: "arm", variant: "v7" },
      { os: "linux", architecture: "arm64" },
      { os: "linux", architecture: "386" },
    ]);
    const [first] = parseIndex(known("platforms/outer-index"), "outer").manifests;
    expect(first?.annotations?.["org.opencontainers.image.ref.name"]).toBe("latest");
  });
});

describe("renderImage", () => {
  const image: PlatformImage = {
    platform: { os: "linux", architecture: "amd64" },
    config: {},
    history: [],
    layers: [],
  };

  it("refuses layers that the history does not have", () => {
    const history = [step("COPY a b # buildkit", false)];
    expect(() => renderImage([{ ...image, history }], naming)).toThrow(
      expect.objectContaining({ code: "layers-and-history" }),
    );
  });

  it("keeps a time of a base image that is not later than the epoch", () => {
    const config: ImageConfig = {
      ...image.platform,
      config: {},
      history: [
        { ...step("x"), created: "1970-01-01T00:00:00.5Z" },
        { ...step("y"), created: "1970-01-01T00:00:01.1Z" },
      ],
      diffIds: [],
    };
    const history = (JSON.parse(Buffer.from(renderConfig(config, 1)).toString()) as ImageConfig).history;
    expect(history.map(({ created }) => created)).toEqual(["1970-01-01T00:00:00.5Z", "1970-01-01T00:00:01Z"]);
  });
});
