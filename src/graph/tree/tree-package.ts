import type { Package, PackagePlace, Problem } from "../../tree/index.js";

/** An image that a Containerfile names in FROM, COPY `--from` or RUN `--mount from=`. */
export interface ImageUse {
  /** Familiar form after expansion: no `docker.io/library/`, no `:latest`. */
  readonly image: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** What one target of a package uses: the images of the stages that it needs, each once, in the order of the file. */
export interface TargetUses {
  /** Name of the subpackage, or of the package itself. */
  readonly name: string;
  readonly images: readonly ImageUse[];
}

/** A package folder after both its files were read. */
export interface TreePackage {
  readonly place: PackagePlace;
  /** Undefined when package.toml is missing or gives no package: the folder then has no targets. */
  readonly package: Package | undefined;
  /** Of its two files. */
  readonly problems: readonly Problem[];
  /** Where faults that only the whole tree shows are to be told; lines in package.toml. */
  readonly lines: {
    readonly versionFrom: number;
    /** One for each of the package's subpackages. */
    readonly subpackages: readonly number[];
  };
  /** One for each target, in the order of `subpackages`. */
  readonly targets: readonly TargetUses[];
  /** Images of stages that no target needs: only their names are checked. */
  readonly unneeded: readonly ImageUse[];
}

/** Name of the stage that makes a subpackage. */
export function subpackageStage(subpackage: string): string {
  return `package-${subpackage}`;
}
