import { expect, test } from "vitest";

import { StagewrightError } from "../base/index.js";

import { checkPackageToml, parsePackageToml, stopsBuild } from "./package-toml.js";

const place = { stage: "core", name: "demo", folder: "packages/core/demo" } as const;
const hash = "a".repeat(64);
const head = `[package]
name = "demo"
version = "1.2.3"
description = "d"
license = "MIT"
website = "https://example.org"
`;
const source = `[sources.demo]
hash = "${hash}"
file = "demo-{version}.tar.gz"
mirrors = ["https://example.org/{file}"]
`;

function check(text: string): ReturnType<typeof checkPackageToml> {
  return checkPackageToml(Buffer.from(text), place);
}

test("TR-10: a whole package", () => {
  const found = check(head + 'subpackages = ["demo", "demo-dev"]\nplatforms = ["linux/386"]\n' + source);
  expect(found.problems).toEqual([]);
  expect(found.package).toEqual({
    ...place,
    version: "1.2.3",
    versionFrom: undefined,
    description: "d",
    license: "MIT",
    website: "https://example.org",
    subpackages: ["demo", "demo-dev"],
    platforms: ["linux/386"],
    sources: [
      {
        name: "demo",
        hash,
        file: "demo-{version}.tar.gz",
        format: undefined,
        version: undefined,
        gitSha: undefined,
        mirrors: ["https://example.org/{file}"],
      },
    ],
  });
});

test("TR-10: a package without platforms is for linux/amd64", () => {
  expect(check(head).package?.platforms).toEqual(["linux/amd64"]);
});

const noVersion = head.replace('version = "1.2.3"\n', "");
const faults: readonly [title: string, text: string, rule: string, line: number, message: RegExp][] = [
  ["no TOML", "[package\n", "bad-toml", 1, /expected TOML/],
  ["a duplicate key", head + 'name = "demo"\n', "bad-toml", 7, /expected TOML/],
  ["no [package]", "", "missing-field", 1, /\[package\]/],
  ["[package] that is no table", "package = 1\n", "wrong-kind", 1, /a table/],
  ["an unknown top table", head + "[sorces]\n", "unknown-key", 7, /"sorces"/],
  ["an unknown package key", head + "versoin = 1\n", "unknown-key", 7, /"versoin" in \[package\]/],
  ["an unknown source key", head + source + "sha = 1\n", "unknown-key", 11, /"sha" in \[sources.demo\]/],
  ["__proto__ as a key", head + '"__proto__" = 1\n', "unknown-key", 7, /__proto__/],
  ["another name", head.replace('"demo"', '"other"'), "name-mismatch", 2, /"demo".*"other"/],
  ["no name", head.replace('name = "demo"\n', ""), "missing-field", 1, /a name/],
  ["a name of the wrong kind", head.replace('"demo"', "[]"), "wrong-kind", 2, /package.name/],
  ["both versions", head + 'version_from = "core-gcc"\n', "two-versions", 7, /both/],
  ["a version with a slash", head.replace("1.2.3", "../1"), "bad-version", 3, /"..\/1"/],
  ["version_from a bare name", noVersion + 'version_from = "gcc"\n', "bad-version-from", 6, /"gcc"/],
  ["no version where one is needed", noVersion + source, "missing-version", 8, /\{version\}/],
  ["a license off the list", head.replace("MIT", "MITT"), "bad-license", 5, /"MITT"/],
  ["a license that ends too soon", head.replace("MIT", "MIT AND"), "bad-license", 5, /SPDX/],
  ["a deprecated license", head.replace("MIT", "MIT OR GPL-2.0+"), "deprecated-license", 5, /GPL-2.0/],
  ["no license", head.replace('license = "MIT"\n', ""), "missing-field", 1, /a license/],
  ["a website without host", head.replace("https://", "https:/"), "bad-website", 6, /https:\/example/],
  ["subpackages that are no list", head + 'subpackages = "a"\n', "wrong-kind", 7, /a list/],
  ["a bad subpackage", head + 'subpackages = [\n "a",\n "B",\n]\n', "bad-name", 9, /"B"/],
  ["a subpackage twice", head + 'subpackages = ["a", "a"]\n', "duplicate-name", 7, /"a"/],
  ["a bare architecture", head + 'platforms = ["amd64"]\n', "bad-platform", 7, /linux\/ARCHITECTURE/],
  ["another system", head + 'platforms = ["windows/amd64"]\n', "bad-platform", 7, /windows/],
  ["another spelling", head + 'platforms = ["linux/x86_64"]\n', "bad-platform", 7, /x86_64/],
  ["a short hash", head + source.replace(hash, "abc"), "bad-hash", 8, /64 hexadecimal digits.*"abc" \(3/],
  ["a hash with a letter too far", head + source.replace("aaaa", "aaag"), "bad-hash", 8, /64/],
  ["no hash", head + source.replace(/hash.*\n/, ""), "missing-hash", 7, /\[sources.demo\]/],
  ["no mirrors", head + source.replace(/mirrors.*\n/, ""), "no-mirror", 7, /\[sources.demo\]/],
  ["empty mirrors", head + source.replace(/mirrors.*\n/, "mirrors = []\n"), "no-mirror", 10, /\[sources.demo\]/],
  ["a mirror of another kind", head + source.replace('["https', '["gopher'), "bad-mirror", 10, /gopher/],
  ["a mirror with a blank", head + source.replace("org/", "org/ "), "bad-mirror", 10, /begins with/],
  ["an unknown placeholder", head + source.replace("{version}", "{verison}"), "unknown-placeholder", 9, /verison/],
  ["an unclosed placeholder", head + source.replace("{version}", "{version"), "unknown-placeholder", 9, /version/],
  ["a closing brace alone", head + source.replace("{version}", "version}"), "unknown-placeholder", 9, /version/],
  ["{file} in file", head + source.replace("{version}", "{file}"), "unknown-placeholder", 9, /made from/],
  ["{format} without format", head + source.replace("{version}", "{format}"), "missing-format", 9, /no format/],
  ["a file in a folder", head + source.replace("demo-{", "../demo-{"), "bad-file-name", 9, /without folders/],
  [
    "a mirror without a last part",
    head + source.replace(/file.*\n/, "").replace("{file}", ""),
    "bad-file-name",
    7,
    /file/,
  ],
  ["a bad format", head + source + 'format = "/etc"\n', "bad-format", 11, /"\/etc"/],
  ["a short git_sha", head + source + 'git_sha = "abc"\n', "bad-git-sha", 11, /40 or 64/],
  ["a source that is no table", head + "[sources]\na = 1\n", "wrong-kind", 8, /a table/],
  ["a bad source name", head + source.replace("[sources.demo]", '[sources."a b"]'), "bad-name", 7, /"a b"/],
  [
    "two sources, one file",
    head + source + source.replace("[sources.demo]", "[sources.two]"),
    "duplicate-file",
    13,
    /both/,
  ],
  ["a control character", head.replace('"d"', '"\\u001b"'), "wrong-kind", 4, /one line/],
];

test.each(faults)("TR-11: %s", (_title, text, rule, line, message) => {
  const { problems } = check(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ rule, line, file: "packages/core/demo/package.toml" });
  expect(problems[0]?.message).toMatch(message);
  expect(problems[0]?.hint).not.toBe("");
});

test("TR-11: every fault of a file comes in one run", () => {
  const text = head.replace("MIT", "MITT").replace("1.2.3", "1/2") + "colour = 1\n" + source.replace(hash, "abc");
  expect(check(text).problems.map((problem) => problem.rule)).toEqual([
    "unknown-key",
    "bad-version",
    "bad-license",
    "bad-hash",
  ]);
});

test("TR-12: a faulty source is left out and the package stays", () => {
  const found = check(head + source.replace(hash, "abc") + source.replace("sources.demo", "sources.two"));
  expect(found.package?.sources.map(({ name }) => name)).toEqual(["two"]);
});

test("TR-13: words that only people read stop no build", () => {
  expect(check(head.replace("MIT", "MITT")).problems.some(stopsBuild)).toBe(false);
  expect(check(head + source.replace(hash, "abc")).problems.some(stopsBuild)).toBe(true);
});

test("an upper-case hash is taken in lower case", () => {
  expect(check(head + source.replace(hash, "A".repeat(64))).package?.sources[0]?.hash).toBe(hash);
});

test("parsePackageToml throws every error at once, and blames file and line", () => {
  const raw = Buffer.from(head + "colour = 1\n" + source.replace(hash, "abc"));
  const thrown = thrownBy(() => parsePackageToml(raw, "packages/core/demo/package.toml"));
  expect(thrown).toMatchObject({ kind: "malformed", code: "bad-package-toml" });
  expect(thrown.subject).toBe("packages/core/demo/package.toml:7");
  expect(thrown.message).toMatch(/colour.*\n.*abc/);
  expect(parsePackageToml(Buffer.from(head), "packages/core/demo/package.toml").name).toBe("demo");
});

test("parsePackageToml wants to know the place", () => {
  const thrown = thrownBy(() => parsePackageToml(Buffer.from(head), "package.toml"));
  expect(thrown).toMatchObject({ code: "bad-package-place", subject: "package.toml" });
});

function thrownBy(action: () => unknown): StagewrightError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof StagewrightError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
