/**
 * The versions of all packages, `version_from` followed. Rule TR-32 of docs/spec/tree.md.
 */
import { didYouMean, nearestNames, targetId, type Package, type Problem } from "../../tree/index.js";

/** A package and the place of its `version_from`. */
export interface VersionedPackage {
  readonly package: Package;
  /** Line of `version_from` in package.toml, from 1. */
  readonly versionFromLine: number;
}

/** The version of each target that has one, by id, and what is wrong with the references between them. */
export interface Versions {
  readonly versionOf: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** Names of a package's targets: its subpackages, or the package itself. */
export function targetNames(pkg: Package): readonly string[] {
  return pkg.subpackages.length === 0 ? [pkg.name] : pkg.subpackages;
}

/** Resolves every version. A chain of references is followed to its end; one that ends nowhere is a problem. */
export function resolveVersions(packages: readonly VersionedPackage[]): Versions {
  const owners = new Map<string, Package>();
  for (const { package: pkg } of packages) {
    for (const name of targetNames(pkg)) {
      const id = targetId(pkg.stage, name);
      if (!owners.has(id)) owners.set(id, pkg);
    }
  }
  const versionOf = new Map<string, string>();
  for (const [id, pkg] of owners) if (pkg.version !== undefined) versionOf.set(id, pkg.version);
  const problems: Problem[] = [];
  for (const { package: pkg, versionFromLine } of packages) {
    const resolved = follow(pkg, owners);
    if (resolved.version !== undefined && pkg.versionFrom !== undefined) {
      for (const name of targetNames(pkg)) versionOf.set(targetId(pkg.stage, name), resolved.version);
    }
    if (resolved.fault !== undefined) problems.push(faultProblem(pkg, versionFromLine, resolved.fault, owners));
  }
  return { versionOf, problems };
}

interface Fault {
  readonly message: string;
  /** The id that nothing is known of, for a guess. */
  readonly unknown?: string;
}

function follow(
  pkg: Package,
  owners: ReadonlyMap<string, Package>,
): { readonly version: string | undefined; readonly fault?: Fault } {
  const path: string[] = [];
  let current = pkg;
  while (current.versionFrom !== undefined) {
    const next = current.versionFrom;
    // Only the references of this package itself are its fault; a longer chain is told where it breaks.
    const own = path.length === 0;
    if (path.includes(next)) {
      const round = [...path.slice(path.indexOf(next)), next].join(" → ");
      const member = own || owners.get(next) === pkg;
      return { version: undefined, ...(member && { fault: { message: `version_from goes round: ${round}` } }) };
    }
    path.push(next);
    const owner = owners.get(next);
    if (owner === undefined) {
      const message = `expected a target of this tree in version_from, found ${next}`;
      return { version: undefined, ...(own && { fault: { message, unknown: next } }) };
    }
    current = owner;
  }
  if (current.version !== undefined || path.length === 0) return { version: current.version };
  const message = `version_from names ${path[0] ?? ""}, which has no version`;
  return { version: undefined, ...(path.length === 1 && { fault: { message } }) };
}

function faultProblem(pkg: Package, line: number, fault: Fault, owners: ReadonlyMap<string, Package>): Problem {
  const guess = fault.unknown === undefined ? "" : didYouMean(nearestNames(fault.unknown, owners.keys()));
  return {
    rule: "bad-version-from",
    severity: "error",
    file: `${pkg.folder}/package.toml`,
    line,
    column: 1,
    message: fault.message,
    hint: guess === "" ? "name a target that has a version" : guess,
  };
}
