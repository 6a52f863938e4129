/**
 * `package.toml`: bytes in, a {@link Package} and every fault out. Rules TR-10 to TR-29 of docs/spec/tree.md.
 */
import { malformed, type StagewrightError } from "../base/index.js";

import { checkLicense, type LicenseMemo } from "./license.js";
import { isPackageName, isStageName, parseTargetId, type StageName } from "./names.js";
import { defaultPlatform, type Package } from "./package.js";
import { checkFileNames } from "./file-names.js";
import { checkSources } from "./package-sources.js";
import { hasErrors, quoted, renderProblem, type Problem } from "./problem.js";
import { TomlReader, type RawTable } from "./toml-reader.js";
import { checkVersion } from "./version-check.js";

/** Where a package stands in its tree. */
export interface PackagePlace {
  readonly stage: StageName;
  readonly name: string;
  /** `packages/STAGE/NAME` */
  readonly folder: string;
}

/** What a check of one `package.toml` found. */
export interface PackageCheck {
  /**
   * The package, with what is faulty left out, so that the graph can be drawn around the fault; undefined when the file
   * gives no package at all. Only a package without errors may be built: see {@link stopsBuild}.
   */
  readonly package: Package | undefined;
  readonly problems: readonly Problem[];
  /** Line (from 1) of a value, such as `["package", "version_from"]`, for faults that only the whole tree shows. */
  readonly lineOf: (path: readonly string[]) => number;
}

const packagePath = ["package"];

const packageKeys = [
  "name",
  "version",
  "version_from",
  "description",
  "license",
  "website",
  "subpackages",
  "platforms",
] as const;

/**
 * Checks a `package.toml` and gives all its faults at once. Never throws.
 * @param licenses answers that the checks of one tree share
 */
export function checkPackageToml(raw: Uint8Array | string, place: PackagePlace, licenses?: LicenseMemo): PackageCheck {
  const reader = TomlReader.read(raw, `${place.folder}/package.toml`);
  const pkg = reader.problems.length > 0 ? undefined : checkRoot(reader, place, licenses);
  return { package: pkg, problems: reader.problems, lineOf: (path) => reader.lineOf(path) };
}

function checkRoot(reader: TomlReader, place: PackagePlace, licenses?: LicenseMemo): Package | undefined {
  reader.refuseUnknown(reader.root, [], ["package", "sources"]);
  const table = reader.table(reader.root, [], "package");
  if (table === undefined) {
    if (!Object.hasOwn(reader.root, "package")) {
      const message = "expected a [package] table, found none";
      reader.fault([], { rule: "missing-field", message, hint: "add [package] with name, version and license" });
    }
    return undefined;
  }
  reader.refuseUnknown(table, ["package"], packageKeys);
  return readPackage(reader, table, place, licenses);
}

/**
 * The package of a `package.toml`.
 * @param fileName `packages/STAGE/NAME/package.toml`
 * @throws malformed `bad-package-toml` with every error of the file in its message.
 */
export function parsePackageToml(raw: Uint8Array | string, fileName: string): Package {
  const place = placeOf(fileName);
  const check = checkPackageToml(raw, place);
  if (check.package !== undefined && !hasErrors(check.problems)) return check.package;
  throw packageFault(fileName, check.problems);
}

function packageFault(fileName: string, problems: readonly Problem[]): StagewrightError {
  const errors = problems.filter((problem) => problem.severity === "error");
  return malformed({
    code: "bad-package-toml",
    subject: `${fileName}:${String(errors[0]?.line ?? 1)}`,
    message: errors.map(renderProblem).join("\n"),
    hint: errors[0]?.hint,
  });
}

function placeOf(fileName: string): PackagePlace {
  const parts = fileName.split("/");
  const [name = "", stage = ""] = [parts.at(-2), parts.at(-3)];
  if (parts.at(-1) === "package.toml" && isStageName(stage) && isPackageName(name)) {
    return { stage, name, folder: parts.slice(0, -1).join("/") };
  }
  throw malformed({
    code: "bad-package-place",
    subject: fileName,
    message: `expected packages/STAGE/NAME/package.toml, found ${quoted(fileName)}`,
    hint: "STAGE is bootstrap, core, pallet or user; NAME has small letters, digits, dots, dashes and underscores",
  });
}

function readPackage(reader: TomlReader, table: RawTable, place: PackagePlace, licenses?: LicenseMemo): Package {
  checkName(reader, table, place);
  const { version, versionFrom } = readVersion(reader, table);
  // A version with a fault counts as one, so that the fault is not told again for each placeholder.
  const hasVersion = Object.hasOwn(table, "version") || Object.hasOwn(table, "version_from");
  const pkg: Package = {
    ...place,
    version,
    versionFrom,
    description: reader.oneLine(table, packagePath, "description"),
    license: readLicense(reader, table, licenses),
    website: readWebsite(reader, table),
    subpackages: readSubpackages(reader, table),
    platforms: readPlatforms(reader, table),
    sources: checkSources(reader, hasVersion),
  };
  checkFileNames(reader, pkg);
  return pkg;
}

function checkName(reader: TomlReader, table: RawTable, place: PackagePlace): void {
  const path = ["package", "name"];
  const name = reader.oneLine(table, packagePath, "name");
  const hint = `write name = "${place.name}", or rename the folder`;
  if (name === undefined) {
    if (Object.hasOwn(table, "name")) return;
    reader.fault(["package"], { rule: "missing-field", message: "expected a name in [package], found none", hint });
  } else if (name !== place.name) {
    const message = `expected the folder's name ${quoted(place.name)}, found ${quoted(name)}`;
    reader.fault(path, { rule: "name-mismatch", message, hint });
  }
}

function readVersion(reader: TomlReader, table: RawTable): Pick<Package, "version" | "versionFrom"> {
  const version = reader.oneLine(table, packagePath, "version");
  const versionFrom = reader.oneLine(table, packagePath, "version_from");
  if (Object.hasOwn(table, "version") && Object.hasOwn(table, "version_from")) {
    const message = "expected version or version_from, found both";
    reader.fault(["package", "version_from"], { rule: "two-versions", message, hint: "take one of the two away" });
  }
  const goodVersion = version === undefined || checkVersion(reader, ["package", "version"], version);
  const goodFrom = versionFrom === undefined || checkVersionFrom(reader, versionFrom);
  return {
    version: goodVersion ? version : undefined,
    versionFrom: goodFrom && version === undefined ? versionFrom : undefined,
  };
}

function checkVersionFrom(reader: TomlReader, versionFrom: string): boolean {
  if (parseTargetId(versionFrom) !== undefined) return true;
  const message = `expected STAGE-NAME such as core-gcc, found ${quoted(versionFrom)}`;
  reader.fault(["package", "version_from"], { rule: "bad-version-from", message, hint: "name a target of this tree" });
  return false;
}

function readLicense(reader: TomlReader, table: RawTable, licenses?: LicenseMemo): string | undefined {
  const path = ["package", "license"];
  if (!Object.hasOwn(table, "license")) {
    warnMissing(reader, "license", 'write license = "…" with an SPDX license expression');
    return undefined;
  }
  const license = reader.oneLine(table, packagePath, "license");
  if (license === undefined) return undefined;
  const check = checkLicense(license, licenses);
  const hint = "see the SPDX license list; a license that is not on it is LicenseRef-NAME";
  if (check.kind === "malformed") {
    const message = `expected an SPDX license expression, found ${quoted(license)}: ${check.reason}`;
    reader.fault(path, { rule: "bad-license", message, hint });
  } else if (check.kind === "deprecated") {
    const message = `the SPDX license list has deprecated ${check.ids.join(", ")}`;
    const successor = "write the id's successor, such as GPL-2.0-only or GPL-2.0-or-later";
    reader.fault(path, { rule: "deprecated-license", severity: "warning", message, hint: successor });
  }
  return license;
}

function readWebsite(reader: TomlReader, table: RawTable): string | undefined {
  const path = ["package", "website"];
  if (!Object.hasOwn(table, "website")) warnMissing(reader, "website", "write the address of the project's page");
  const website = reader.oneLine(table, packagePath, "website");
  if (website === undefined || /^https?:\/\/[^\s/]+/.test(website)) return website;
  const message = `expected an http or https address, found ${quoted(website)}`;
  reader.fault(path, { rule: "bad-website", severity: "warning", message, hint: "write the project's page" });
  return website;
}

function warnMissing(reader: TomlReader, key: string, hint: string): void {
  const message = `expected a ${key} in [package], found none`;
  reader.fault(["package"], { rule: "missing-field", severity: "warning", message, hint });
}

function readSubpackages(reader: TomlReader, table: RawTable): readonly string[] {
  const path = ["package", "subpackages"];
  const seen = new Set<string>();
  for (const [index, name] of (reader.texts(table, packagePath, "subpackages") ?? []).entries()) {
    const item = [...path, String(index)];
    if (!isPackageName(name)) {
      const message = `expected the name of a subpackage, found ${quoted(name)}`;
      reader.fault(item, { rule: "bad-name", message, hint: "use small letters, digits, dots, dashes, underscores" });
    } else if (seen.has(name)) {
      const message = `the subpackage ${quoted(name)} stands here twice`;
      reader.fault(item, { rule: "duplicate-name", message, hint: "take one away" });
    } else seen.add(name);
  }
  return [...seen];
}

// Narrower than what graph/platform.ts reads (it takes other spellings too): one platform has one name in a tree.
const platformForm = /^linux\/[a-z0-9]+(?:\/v[0-9]+)?$/;

function readPlatforms(reader: TomlReader, table: RawTable): readonly string[] {
  const path = ["package", "platforms"];
  const seen = new Set<string>();
  for (const [index, platform] of (reader.texts(table, packagePath, "platforms") ?? []).entries()) {
    const item = [...path, String(index)];
    if (!platformForm.test(platform)) {
      const message = `expected linux/ARCHITECTURE such as linux/amd64, found ${quoted(platform)}`;
      reader.fault(item, { rule: "bad-platform", message, hint: "write it as the OCI image specification does" });
    } else if (seen.has(platform)) {
      const message = `the platform ${platform} stands here twice`;
      reader.fault(item, { rule: "duplicate-name", message, hint: "take one away" });
    } else seen.add(platform);
  }
  return seen.size === 0 ? [defaultPlatform] : [...seen];
}

// Faults of words that a person reads and no step of a build does.
const wordsOnly: ReadonlySet<string> = new Set(["bad-license", "bad-website", "missing-field"]);

/** Whether a problem must stop the build of the package that it is in. */
export function stopsBuild(problem: Problem): boolean {
  return problem.severity === "error" && !wordsOnly.has(problem.rule);
}
