/**
 * Reads a tree and draws its graph. What was read of a package is kept in a cache by the content of its two files, so that
 * a second run only looks at them.
 */
import { limits, type Clock, type FileSystem, type Log } from "../base/index.js";
import { buildTreeGraph, resolveVersions, type TreeGraph, type TreePackage } from "../graph/index.js";
import {
  checkTreeConfig,
  defaultTreeConfig,
  listPackages,
  lookAtTreeFile,
  readTreeFile,
  treeConfigFile,
  type Problem,
  type TreeConfig,
} from "../tree/index.js";
import { PackageReader } from "./package-reader.js";
import { openTreeCache, type TreeCachePlace } from "./tree-cache.js";

/** A tree in memory. */
export interface LoadedTree {
  /** Absolute. */
  readonly root: string;
  readonly config: TreeConfig;
  readonly packages: readonly TreePackage[];
  readonly graph: TreeGraph;
}

/** Where and with what a tree is read. */
export interface LoadTreeOptions {
  readonly fs: FileSystem;
  /** The tree's root, absolute. */
  readonly root: string;
  /** Undefined reads everything anew and keeps nothing. */
  readonly cache?: TreeCachePlace | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Loads a tree. Faults of its files are problems of the graph and not errors.
 * @throws malformed `no-tree` when the root holds no tree; `too-many-packages`
 */
export function loadTree(options: LoadTreeOptions): LoadedTree {
  const { fs, root } = options;
  // Opened before any file is looked at: see the cache's rule for files that changed a moment ago.
  const cache = openTreeCache(options);
  const { config, problems } = loadTreeConfig(fs, root);
  const { places, problems: folderProblems } = listPackages(fs, root);
  const reader = new PackageReader(fs, root, cache);
  const drafts = places.flatMap((place) => reader.look(place) ?? []);
  const versions = resolveVersions(drafts.flatMap((draft) => draft.versioned ?? []));
  const packages = drafts.map((draft) => reader.finish(draft, (target) => versions.versionOf.get(target)));
  cache.close();
  const graph = buildTreeGraph({ config, packages, versions, problems: [...problems, ...folderProblems] });
  return { root, config, packages, graph };
}

/** Reads stagewright.toml of a tree; without one the settings are the defaults. */
export function loadTreeConfig(
  fs: FileSystem,
  root: string,
): { readonly config: TreeConfig; readonly problems: readonly Problem[] } {
  const look = lookAtTreeFile(fs, root, treeConfigFile, limits.tomlSize);
  if ("missing" in look) return { config: defaultTreeConfig, problems: [] };
  const read = "problem" in look ? look : readTreeFile(fs, root, look.file);
  return "problem" in read ? { config: defaultTreeConfig, problems: [read.problem] } : checkTreeConfig(read.content);
}
