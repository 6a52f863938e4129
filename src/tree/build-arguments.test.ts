import { expect, test } from "vitest";

import { buildArguments } from "./build-arguments.js";
import { expandSource } from "./expand-source.js";
import type { Package, Source } from "./package.js";
import { versionForms } from "./version-forms.js";

const source: Source = {
  name: "demo",
  hash: "a".repeat(64),
  file: undefined,
  format: undefined,
  version: undefined,
  gitSha: undefined,
  mirrors: ["https://example.org/v{version_major}/demo-{version}.tar.gz?x=/y#/z"],
};
const pkg: Package = {
  stage: "core",
  name: "demo",
  folder: "packages/core/demo",
  version: "74.2.1-rc.1",
  versionFrom: undefined,
  description: undefined,
  license: undefined,
  website: undefined,
  subpackages: [],
  platforms: ["linux/amd64"],
  sources: [source],
};

function values(from: Package, resolve: (target: string) => string | undefined = () => undefined): string[] {
  return buildArguments(from, resolve).map(({ name, value }) => `${name}=${value}`);
}

test("TR-30: the version in six forms", () => {
  expect(values(pkg)).toEqual([
    "VERSION=74.2.1-rc.1",
    "VERSION_UNDER=74_2_1-rc_1",
    "VERSION_DASH=74-2-1-rc-1",
    "VERSION_MAJOR=74",
    "VERSION_MAJOR_MINOR=74.2",
    "VERSION_STRIP_SUFFIX=74.2.1",
  ]);
});

test("TR-31: a version of one part is its own major and minor, never None", () => {
  expect(versionForms("14")).toEqual({
    version: "14",
    under: "14",
    dash: "14",
    major: "14",
    majorMinor: "14",
    stripSuffix: "14",
  });
});

test("TR-32: version_from gives the other target's version", () => {
  const pallet = { ...pkg, version: undefined, versionFrom: "core-gcc", sources: [] };
  expect(values(pallet, (target) => (target === "core-gcc" ? "15.2" : undefined))[0]).toBe("VERSION=15.2");
  expect(values(pallet)).toEqual([]);
});

test("TR-33: a source with its own version or commit gives arguments, another none", () => {
  const own = { ...source, name: "m2libc", version: "3.1", gitSha: "b".repeat(40) };
  expect(values({ ...pkg, version: undefined, sources: [own, source] })).toEqual([
    "M2LIBC_VERSION=3.1",
    "M2LIBC_SOURCE=demo-3.1.tar.gz",
    `M2LIBC_GIT_SHA=${"b".repeat(40)}`,
  ]);
});

test("TR-22: the file's name is the last part of the first mirror's path", () => {
  expect(expandSource(pkg, source, "2.0").fileName).toBe("demo-2.0.tar.gz");
});

test("TR-21: all placeholders, with the source's own version before the package's", () => {
  const all: Source = {
    ...source,
    version: "6.04.1-pre1",
    format: "tar.xz",
    file: "d-{version}.{format}",
    mirrors: [
      "https://example.org/{version_major}/{version_major_minor}/{version_dash}/{version_under}/{version_strip_suffix}/{file}",
      "apt-source:demo={version}/demo_{version}.orig.{format}",
      "file:///srv/{file}",
    ],
  };
  expect(expandSource(pkg, all, "1").mirrors).toEqual([
    { kind: "https", url: "https://example.org/6/6.04/6-04-1-pre1/6_04_1-pre1/6.04.1/d-6.04.1-pre1.tar.xz" },
    { kind: "apt-source", source: "demo", version: "6.04.1-pre1", file: "demo_6.04.1-pre1.orig.tar.xz" },
    { kind: "file", path: "/srv/d-6.04.1-pre1.tar.xz" },
  ]);
});
