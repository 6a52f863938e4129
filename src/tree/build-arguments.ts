import { sourceFileName } from "./expand-source.js";
import type { Package } from "./package.js";
import { versionForms } from "./version-forms.js";

/** A build argument as BuildKit's `--build-arg NAME=VALUE`. */
export interface BuildArgument {
  readonly name: string;
  readonly value: string;
}

/**
 * The arguments that a package's Containerfile is given (rule TR-30): the version in its six forms where the package
 * has one, then for each source with its own version `NAME_VERSION` and `NAME_SOURCE`, and for each with a `git_sha`
 * `NAME_GIT_SHA`; `NAME` is the source's name in upper case.
 * @param resolveVersion gives the version of the target that `version_from` names, or undefined
 * @throws malformed as {@link sourceFileName}
 */
export function buildArguments(
  pkg: Package,
  resolveVersion: (target: string) => string | undefined,
): readonly BuildArgument[] {
  const version = pkg.versionFrom === undefined ? pkg.version : resolveVersion(pkg.versionFrom);
  const named = version === undefined ? [] : versionArguments(version);
  for (const source of pkg.sources) {
    const name = source.name.toUpperCase();
    if (source.version !== undefined) {
      named.push({ name: `${name}_VERSION`, value: source.version });
      named.push({ name: `${name}_SOURCE`, value: sourceFileName(pkg, source, version) });
    }
    if (source.gitSha !== undefined) named.push({ name: `${name}_GIT_SHA`, value: source.gitSha });
  }
  return named;
}

function versionArguments(version: string): BuildArgument[] {
  const forms = versionForms(version);
  return [
    { name: "VERSION", value: forms.version },
    { name: "VERSION_UNDER", value: forms.under },
    { name: "VERSION_DASH", value: forms.dash },
    { name: "VERSION_MAJOR", value: forms.major },
    { name: "VERSION_MAJOR_MINOR", value: forms.majorMinor },
    { name: "VERSION_STRIP_SUFFIX", value: forms.stripSuffix },
  ];
}
