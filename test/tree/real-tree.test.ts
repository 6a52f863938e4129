import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { resolveVersions, targetNames } from "../../src/graph/index.js";
import { buildArguments, checkPackageToml, expandSource, listPackages, type Package } from "../../src/tree/index.js";
import * as fs from "node:fs";

const root = fileURLToPath(new URL("../../../shared/data/tree-2026.03.0", import.meta.url));
const isThere = existsSync(root);
if (!isThere) console.warn(`SKIPPED: the real tree is not there (${root}): its 443 package.toml files are not checked`);

/** The faults that the release really has. */
const knownFaults = [
  "packages/core/php/package.toml:5 error bad-license",
  "packages/pallet/php-composer/package.toml:5 error bad-license",
  "packages/pallet/php/package.toml:5 error bad-license",
  "packages/user/ansible-core/package.toml:5 warning bad-website",
  "packages/user/hardened_malloc/package.toml:1 warning missing-field",
  "packages/user/hardened_malloc/package.toml:1 warning missing-field",
];

describe.skipIf(!isThere)("a real tree, StageX 2026.03.0", () => {
  const { places, problems } = isThere ? listPackages(fs, root) : { places: [], problems: [] };
  const checks = places.map((place) => checkPackageToml(readFileSync(`${root}/${place.folder}/package.toml`), place));
  const packages = checks.flatMap((check) => check.package ?? []);
  const { versionOf, problems: versionProblems } = resolveVersions(
    packages.map((pkg) => ({ package: pkg, versionFromLine: 1 })),
  );
  const versionOfPackage = (pkg: Package): string | undefined =>
    versionOf.get(`${pkg.stage}-${targetNames(pkg)[0] ?? ""}`);

  test("all 443 packages are read", () => {
    expect([places.length, packages.length, problems, versionProblems]).toEqual([443, 443, [], []]);
  });

  test("its faults are told, and no others", () => {
    const found = checks.flatMap((check) =>
      check.problems.map(({ file, line, severity, rule }) => `${file}:${String(line)} ${severity} ${rule}`),
    );
    expect(found.sort()).toEqual(knownFaults);
  });

  test("its targets are those of its digests", () => {
    const ids = packages.flatMap((pkg) => targetNames(pkg).map((name) => `${pkg.stage}-${name}`));
    const listed = readdirSync(`${root}/digests`).flatMap((file) =>
      readFileSync(`${root}/digests/${file}`, "utf8").trim().split("\n"),
    );
    expect(ids.sort()).toEqual(listed.map((line) => line.split(/\s+/)[1] ?? "").sort());
    expect(ids).toHaveLength(513);
  });

  test("every source expands to a file and addresses without a brace", () => {
    const expanded = packages.flatMap((pkg) =>
      pkg.sources.map((source) => expandSource(pkg, source, versionOfPackage(pkg))),
    );
    expect(expanded).toHaveLength(775);
    expect(JSON.stringify(expanded.map(({ fileName, mirrors }) => [fileName, mirrors]))).not.toMatch(
      /[{}](?!,|\]|"kind)/,
    );
    expect(expanded.find(({ name }) => name === "syslinux")?.mirrors).toEqual([
      {
        kind: "https",
        url: "https://www.kernel.org/pub/linux/utils/boot/syslinux/Testing/6.04/syslinux-6.04-pre1.tar.xz",
      },
    ]);
    expect(expanded.find(({ name }) => name === "icu")?.fileName).toBe("icu4c-74_2-src.tgz");
  });

  test("pallets have the version of what they name, and no argument is None", () => {
    const named = packages.map((pkg) => buildArguments(pkg, (target) => versionOf.get(target)));
    expect(named.flat().filter(({ value }) => /none|undefined|\{/i.test(value))).toEqual([]);
    const gcc = packages.find((pkg) => pkg.folder === "packages/pallet/gcc");
    const core = packages.find((pkg) => pkg.folder === "packages/core/gcc");
    expect(gcc && versionOfPackage(gcc)).toBe(core?.version);
    expect(packages.filter((pkg) => pkg.versionFrom !== undefined)).toHaveLength(20);
  });
});
