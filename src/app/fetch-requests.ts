import { StagewrightError } from "../base/index.js";
import type { SourceRequest } from "../sources/index.js";
import { expandSource, type Package } from "../tree/index.js";

/** A package whose sources are wanted, and its version with `version_from` followed. */
export interface PackageToFetch {
  readonly package: Package;
  readonly version: string | undefined;
}

/** A source that cannot even be asked for. */
export interface UnusableSource {
  readonly package: string;
  readonly name: string;
  readonly sha256: string;
  readonly error: StagewrightError;
}

/** What is to be fetched for the packages, each package once, in their order; one bad source does not hide the others. */
export function planFetchRequests(packages: readonly PackageToFetch[]): {
  readonly requests: readonly SourceRequest[];
  readonly unusable: readonly UnusableSource[];
} {
  const requests: SourceRequest[] = [];
  const unusable: UnusableSource[] = [];
  const seen = new Set<string>();
  for (const { package: pkg, version } of packages) {
    if (seen.has(pkg.folder)) continue;
    seen.add(pkg.folder);
    for (const source of pkg.sources) {
      const common = { package: pkg.folder, name: source.name, sha256: source.hash };
      try {
        const { fileName, mirrors } = expandSource(pkg, source, version);
        requests.push({ ...common, fileName, mirrors });
      } catch (error) {
        if (!(error instanceof StagewrightError)) throw error;
        unusable.push({ ...common, error });
      }
    }
  }
  return { requests, unusable };
}
