/** Every npm package is there for a written reason, at an exact version, under a licence that lets us pass it on. */
import { readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import { packageTable } from "./import-table.js";
import { readModules, repository } from "./source-modules.js";

type Versions = Readonly<Record<string, string>>;

function read(path: string): string {
  return readFileSync(join(repository, path), "utf8");
}

const manifest = JSON.parse(read("package.json")) as { dependencies: Versions; devDependencies: Versions };
const lock = JSON.parse(read("package-lock.json")) as {
  packages: Readonly<
    Record<string, { readonly license?: string; readonly resolved?: string; readonly integrity?: string }>
  >;
};
const installed = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Rows of docs/dependencies.md: package, licence, reason. */
const rows = [...read("docs/dependencies.md").matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, name = "", licence = "", reason = ""]) => ({ name, licence: licence.trim(), reason: reason.trim() }),
);

const permissive =
  /^\(?(?:MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|Python-2\.0|CC0-1\.0|CC-BY-3\.0|MPL-2\.0|Unlicense)(?: (?:OR|AND) [\w.-]+)*\)?$/;

describe("dependencies", () => {
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)].sort();

  it("have a reason each in docs/dependencies.md, which names no others", () => {
    expect(rows.map((row) => row.name).sort()).toEqual(names);
    expect(rows.filter((row) => row.reason.length < 20)).toEqual([]);
  });

  it("have the licence that the document says", () => {
    const said = Object.fromEntries(rows.map((row) => [row.name, row.licence]));
    const found = Object.fromEntries(names.map((name) => [name, lock.packages[`node_modules/${name}`]?.license]));
    expect(said).toEqual(found);
  });

  it("stand under licences that let us pass them on, with all that they bring", () => {
    const others = installed.filter(([, entry]) => !permissive.test(entry.license ?? "none"));
    expect(others.map(([path, entry]) => `${path}: ${entry.license ?? "none"}`)).toEqual([]);
  });

  it("are pinned to one version", () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it("are runtime dependencies exactly where the program imports them", () => {
    const imported = [...readModules("src", new Set()).values()]
      .filter((module) => !module.isTest)
      .flatMap((module) => module.imports.filter((one) => one.target === undefined).map((one) => one.specifier))
      .filter((specifier) => !specifier.startsWith("node:"));
    expect([...new Set(imported)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
    expect(Object.keys(packageTable).sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

describe("package-lock.json and .npmrc", () => {
  it("hold a hash of every package and no address of any", () => {
    expect(installed.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(installed.filter(([, entry]) => !entry.integrity?.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
  });

  it("run no package's install scripts and name no registry", () => {
    const settings = read(".npmrc").split("\n");
    expect(settings).toContain("ignore-scripts=true");
    expect(settings).toContain("omit-lockfile-registry-resolved=true");
    expect(settings.filter((line) => /registry\s*=(?!true)|_auth|token|:\/\//i.test(line))).toEqual([]);
  });
});
