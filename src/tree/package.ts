import type { StageName } from "./names.js";

/** One input of a package, as its `[sources.NAME]` says; templates are not expanded. */
export interface Source {
  readonly name: string;
  /** SHA-256 of the file: 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Template of the file's name; without one the name is the last part of the first mirror's path. */
  readonly file: string | undefined;
  readonly format: string | undefined;
  /** The source's own version; without one the package's stands. */
  readonly version: string | undefined;
  /** 40 or 64 lower-case hexadecimal digits. */
  readonly gitSha: string | undefined;
  /** Templates of one or more addresses, in the order in which they are tried. */
  readonly mirrors: readonly string[];
}

/** A package: the contents of its `package.toml`, and where it stands. */
export interface Package {
  readonly stage: StageName;
  /** Name of its folder, which is the name of its target unless it has subpackages. */
  readonly name: string;
  /** Folder relative to the tree's root: `packages/core/gcc`. */
  readonly folder: string;
  readonly version: string | undefined;
  /** Id of the target whose version this package takes. */
  readonly versionFrom: string | undefined;
  readonly description: string | undefined;
  readonly license: string | undefined;
  readonly website: string | undefined;
  /** Empty for a package that is one target by its own name. */
  readonly subpackages: readonly string[];
  /** `OS/ARCHITECTURE[/VARIANT]`; at least one. */
  readonly platforms: readonly string[];
  readonly sources: readonly Source[];
}

/** The platform of a package that names none. */
export const defaultPlatform = "linux/amd64";
