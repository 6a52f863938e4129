import * as crypto from "node:crypto";

import { limits } from "../base/index.js";
import { readContainerfileUses, type TreePackage, type VersionedPackage } from "../graph/index.js";
import {
  checkPackageToml,
  lookAtTreeFile,
  readTreeFile,
  type LicenseMemo,
  type PackageCheck,
  type PackagePlace,
  type Problem,
  type TreeFile,
  type TreeFileSystem,
} from "../tree/index.js";
import type { CachedFile, CachedPackage } from "./cached-package.js";
import type { TreeCache } from "./tree-cache.js";

type KeptTree = CachedPackage["tree"];

/** A package between its two readings: the versions of all packages stand between them. */
export interface PackageDraft {
  readonly place: PackagePlace;
  /** Undefined for a package that gives no targets. */
  readonly versioned: VersionedPackage | undefined;
  readonly files: PackageFiles;
  /** What the cache keeps of the same content, if it does. */
  readonly kept: CachedPackage | undefined;
  /** What package.toml says; undefined when {@link kept} tells it. */
  readonly check: PackageCheck | undefined;
}

/** The two files of a package, read when they must be. */
interface PackageFiles {
  readonly toml: LazyFile;
  readonly containerfile: LazyFile;
}

/** Reads packages in two steps, from the cache where that has the same content. */
export class PackageReader {
  private readonly licenses: LicenseMemo = new Map();

  constructor(
    private readonly fs: TreeFileSystem,
    private readonly root: string,
    private readonly cache: TreeCache,
  ) {}

  /** The first step: package.toml. Undefined for a folder with neither of the two files: it is no package. */
  look(place: PackagePlace): PackageDraft | undefined {
    const files: PackageFiles = {
      toml: new LazyFile(this.fs, this.root, `${place.folder}/package.toml`, limits.tomlSize),
      containerfile: new LazyFile(this.fs, this.root, `${place.folder}/Containerfile`, limits.containerfileSize),
    };
    if (files.toml.isMissing && files.containerfile.isMissing) return undefined;
    const entry = this.cache.entry(place.folder);
    const kept = entry !== undefined && isFor(place, entry) && this.isSame(files, entry) ? entry : undefined;
    const check = kept === undefined ? this.checkToml(place, files.toml) : undefined;
    const pkg = kept?.tree.package ?? check?.package;
    const versionFromLine = kept?.tree.lines.versionFrom ?? versionFromLineOf(check);
    const versioned = pkg === undefined ? undefined : { package: pkg, versionFromLine };
    return { place, versioned, files, kept, check };
  }

  /** The second step: the Containerfile, now that every version is known. */
  finish(draft: PackageDraft, resolveVersion: (target: string) => string | undefined): TreePackage {
    const { place, files, kept } = draft;
    const from = draft.versioned?.package.versionFrom;
    const versionFrom = (from === undefined ? undefined : resolveVersion(from)) ?? null;
    const tree =
      kept !== undefined && kept.versionFrom === versionFrom
        ? kept.tree
        : this.readPackage(place, files, draft.check ?? this.checkToml(place, files.toml), resolveVersion);
    this.keep(draft, tree, versionFrom);
    return { ...tree, place, problems: [...fileProblems(place, files), ...tree.problems] };
  }

  private checkToml(place: PackagePlace, file: LazyFile): PackageCheck | undefined {
    const content = file.content();
    return content === undefined ? undefined : checkPackageToml(content, place, this.licenses);
  }

  private readPackage(
    place: PackagePlace,
    files: PackageFiles,
    check: PackageCheck | undefined,
    resolveVersion: (target: string) => string | undefined,
  ): KeptTree {
    const pkg = check?.package;
    const subpackageLine = (index: number): number => check?.lineOf(["package", "subpackages", String(index)]) ?? 1;
    const content = files.containerfile.content();
    const uses =
      content === undefined
        ? { targets: [], unneeded: [], problems: [] }
        : readContainerfileUses(content, { place, package: pkg, subpackageLine, resolveVersion });
    return {
      package: pkg,
      problems: [...(check?.problems ?? []), ...uses.problems],
      lines: {
        versionFrom: versionFromLineOf(check),
        subpackages: (pkg?.subpackages ?? []).map((_, index) => subpackageLine(index)),
      },
      targets: uses.targets,
      unneeded: uses.unneeded,
    };
  }

  private isSame({ toml, containerfile }: PackageFiles, entry: CachedPackage): boolean {
    return toml.isSame(entry.toml, this.cache) && containerfile.isSame(entry.containerfile, this.cache);
  }

  private keep({ place, files, kept }: PackageDraft, tree: KeptTree, versionFrom: string | null): void {
    const { toml, containerfile } = files;
    if (!this.cache.isOpen) return;
    if (toml.problem !== undefined || containerfile.problem !== undefined) return;
    const untouched = kept?.tree === tree && !toml.wasRead && !containerfile.wasRead;
    const entry = { toml: toml.cached(), containerfile: containerfile.cached(), versionFrom, tree };
    this.cache.keep(place.folder, untouched ? kept : entry);
  }
}

/** A cache may hold one package under the folder of another. */
function isFor(place: PackagePlace, { tree }: CachedPackage): boolean {
  const pkg = tree.package;
  return pkg === undefined || (pkg.folder === place.folder && pkg.stage === place.stage && pkg.name === place.name);
}

function versionFromLineOf(check: PackageCheck | undefined): number {
  return check?.package?.versionFrom === undefined ? 1 : check.lineOf(["package", "version_from"]);
}

function fileProblems(place: PackagePlace, { toml, containerfile }: PackageFiles): readonly Problem[] {
  const problems = [toml.problem, containerfile.problem].filter((problem) => problem !== undefined);
  const missing = { severity: "error", line: 1, column: 1 } as const;
  if (toml.isMissing) {
    problems.push({
      ...missing,
      rule: "missing-package-toml",
      file: containerfile.path,
      message: `expected a package.toml beside this Containerfile, found none: ${place.stage}-${place.name} is no target`,
      hint: `write ${toml.path}, or take the folder away`,
    });
  }
  if (containerfile.isMissing) {
    problems.push({
      ...missing,
      rule: "missing-containerfile",
      file: toml.path,
      message: "expected a Containerfile beside this package.toml, found none",
      hint: `write ${containerfile.path}, or take the folder away`,
    });
  }
  return problems;
}

/** One file: looked at once, read and hashed at most once. */
class LazyFile {
  problem: Problem | undefined;
  private readonly file: TreeFile | undefined;
  private read: string | Buffer | undefined;
  private readHash: string | undefined;
  private keptHash: string | undefined;

  constructor(
    private readonly fs: TreeFileSystem,
    private readonly root: string,
    readonly path: string,
    sizeLimit: number,
  ) {
    const look = lookAtTreeFile(fs, root, path, sizeLimit);
    this.file = "file" in look ? look.file : undefined;
    this.problem = "problem" in look ? look.problem : undefined;
  }

  get isMissing(): boolean {
    return this.file === undefined && this.problem === undefined;
  }

  get wasRead(): boolean {
    return this.read !== undefined;
  }

  /** Undefined for a file that is missing or cannot be read; the second is then in {@link problem}. */
  content(): string | Buffer | undefined {
    if (this.read !== undefined || this.file === undefined || this.problem !== undefined) return this.read;
    const read = readTreeFile(this.fs, this.root, this.file);
    if ("problem" in read) this.problem = read.problem;
    else this.read = read.content;
    return this.read;
  }

  isSame(kept: CachedFile | null, cache: TreeCache): boolean {
    if (this.file === undefined || kept === null) return this.isMissing && kept === null;
    if (cache.isUnchanged(this.file, kept)) {
      this.keptHash = kept.hash;
      return true;
    }
    return this.hash() === kept.hash;
  }

  /** What the cache shall keep of it. */
  cached(): CachedFile | null {
    const hash = this.hash() ?? this.keptHash;
    return this.file === undefined || hash === undefined ? null : { signature: this.file.signature, hash };
  }

  private hash(): string | undefined {
    // Not before it is known that the content matters: a file whose times vouch for it is never read.
    const content = this.keptHash === undefined ? this.content() : this.read;
    if (content === undefined) return undefined;
    this.readHash ??= crypto.hash("sha256", content, "hex");
    return this.readHash;
  }
}
