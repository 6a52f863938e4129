/**
 * The graph of a tree: its targets and what each is built from. Rules TR-50 to TR-59 of docs/spec/tree.md.
 */
import { compareText } from "../../base/index.js";
import {
  compareProblems,
  didYouMean,
  nearestNames,
  parseTargetId,
  quoted,
  targetId,
  type Package,
  type Problem,
  type TreeConfig,
} from "../../tree/index.js";
import { longestPath, orderOf, type Edges } from "./order.js";
import type { Target } from "./target.js";
import { treeImageReader, type TreeImageReader } from "./tree-image.js";
import { subpackageStage, type ImageUse, type TreePackage } from "./tree-package.js";
import type { Versions } from "./versions.js";

export interface TreeGraph {
  /** By id, sorted by bytes. */
  readonly targets: ReadonlyMap<string, Target>;
  /** Dependencies first; targets in or on a cycle are left out. */
  readonly order: readonly string[];
  /** Distinct target-to-target edges through images. */
  readonly edges: number;
  /** Distinct target-to-target edges through `version_from`. */
  readonly versionEdges: number;
  /** Ids, what is built first comes first. */
  readonly longestPath: readonly string[];
  /** Of the whole tree, sorted by place. */
  readonly problems: readonly Problem[];
}

/** Everything that was read of a tree. */
export interface TreeContents {
  readonly config: TreeConfig;
  readonly packages: readonly TreePackage[];
  readonly versions: Versions;
  /** Of stagewright.toml and of the folders. */
  readonly problems: readonly Problem[];
}

/** Draws the graph. A fault of one package costs at most its own targets and edges. */
export function buildTreeGraph(contents: TreeContents): TreeGraph {
  const draft = new Draft(contents);
  for (const tree of contents.packages) draft.addTargets(tree);
  for (const tree of contents.packages) draft.addEdges(tree);
  draft.checkNetworkAllow();
  return draft.finish();
}

interface DraftTarget {
  readonly owner: TreePackage;
  readonly package: Package;
  readonly name: string;
  readonly dependencies: Set<string>;
}

// Guesses compare a text with every id; a tree with more faults than this is told the rest without guesses.
const guesses = 200;

class Draft {
  private readonly drafts = new Map<string, DraftTarget>();
  private readonly problems: Problem[];
  /** Where each edge stands, for cycles: `FROM id`, then `TO id`. */
  private readonly places = new Map<string, Map<string, { readonly file: string; readonly use: ImageUse }>>();
  private readonly folders: ReadonlyMap<string, TreePackage>;
  private readonly treeImageOf: TreeImageReader;
  private guessesLeft = guesses;

  constructor(private readonly contents: TreeContents) {
    this.treeImageOf = treeImageReader(contents.config.prefix);
    this.problems = [
      ...contents.problems,
      ...contents.versions.problems,
      ...contents.packages.flatMap((tree) => tree.problems),
    ];
    this.folders = new Map(contents.packages.map((tree) => [targetId(tree.place.stage, tree.place.name), tree]));
  }

  addTargets(tree: TreePackage): void {
    const pkg = tree.package;
    if (pkg === undefined) return;
    for (const [index, { name }] of tree.targets.entries()) {
      const id = targetId(pkg.stage, name);
      const other = this.drafts.get(id);
      if (other === undefined) this.drafts.set(id, { owner: tree, package: pkg, name, dependencies: new Set() });
      else {
        this.problems.push({
          rule: "duplicate-target",
          severity: "error",
          file: `${pkg.folder}/package.toml`,
          line: tree.lines.subpackages[index] ?? 1,
          column: 1,
          message: `the target ${id} is made here and by ${other.package.folder}`,
          hint: "rename one of the two",
        });
      }
    }
  }

  addEdges(tree: TreePackage): void {
    const file = `${tree.place.folder}/Containerfile`;
    const unknown = new Map<string, ImageUse>();
    for (const uses of tree.targets) {
      const id = targetId(tree.place.stage, uses.name);
      const draft = this.drafts.get(id);
      if (draft?.owner !== tree) continue;
      for (const use of uses.images) this.addEdge(id, draft, file, use, unknown);
    }
    for (const use of tree.unneeded) {
      const image = this.treeImageOf(use.image);
      if (image !== undefined && !this.drafts.has(image.target)) unknown.set(image.target, use);
    }
    for (const [target, use] of unknown) this.problems.push(this.unknownTarget(target, file, use));
  }

  checkNetworkAllow(): void {
    for (const target of this.contents.config.networkAllow) {
      if (this.drafts.has(target)) continue;
      this.problems.push({
        rule: "unknown-target",
        severity: "error",
        file: "stagewright.toml",
        line: 1,
        column: 1,
        message: `[network] allow names ${target}, which is no target of this tree`,
        hint: this.guess(target) || "take it away",
      });
    }
  }

  finish(): TreeGraph {
    const ids = [...this.drafts.keys()].sort(compareText);
    const edges = new Map(ids.map((id) => [id, this.sortedDependencies(id)]));
    const { order, cycles } = orderOf(edges);
    for (const cycle of cycles) this.problems.push(this.cycleProblem(cycle));
    const targets = new Map(ids.map((id) => [id, this.target(id, edges)]));
    return {
      targets,
      order,
      edges: [...edges.values()].reduce((sum, dependencies) => sum + dependencies.length, 0),
      versionEdges: [...targets.values()].filter((target) => target.versionFrom !== undefined).length,
      longestPath: longestPath(edges, order),
      problems: this.problems.sort(compareProblems),
    };
  }

  private addEdge(id: string, draft: DraftTarget, file: string, use: ImageUse, unknown: Map<string, ImageUse>): void {
    const image = this.treeImageOf(use.image);
    if (image === undefined) return;
    if (!this.drafts.has(image.target)) {
      if (!unknown.has(image.target)) unknown.set(image.target, use);
      return;
    }
    if (draft.dependencies.has(image.target)) return;
    draft.dependencies.add(image.target);
    const places = this.places.get(id) ?? new Map<string, { readonly file: string; readonly use: ImageUse }>();
    places.set(image.target, { file, use });
    this.places.set(id, places);
  }

  private sortedDependencies(id: string): readonly string[] {
    return [...(this.drafts.get(id)?.dependencies ?? [])].sort(compareText);
  }

  private target(id: string, edges: Edges): Target {
    const draft = this.drafts.get(id);
    if (draft === undefined) throw new Error(`the graph has no target ${id}`);
    const { package: pkg, name } = draft;
    const from = pkg.versionFrom;
    return {
      id,
      stage: pkg.stage,
      name,
      package: pkg,
      buildStage: pkg.subpackages.length === 0 ? undefined : subpackageStage(name),
      version: this.contents.versions.versionOf.get(id),
      dependencies: edges.get(id) ?? [],
      versionFrom: from !== undefined && this.drafts.has(from) ? from : undefined,
    };
  }

  private cycleProblem(cycle: readonly string[]): Problem {
    const [first = "", second = ""] = cycle;
    const place = this.places.get(first)?.get(second);
    return {
      rule: "cycle",
      severity: "error",
      file: place?.file ?? "packages",
      line: place?.use.line ?? 1,
      column: place?.use.column ?? 1,
      message: `targets that need each other: ${cycle.join(" → ")}`,
      hint: "take one of these dependencies away, or build one of the targets in two steps",
    };
  }

  private unknownTarget(target: string, file: string, use: ImageUse): Problem {
    const folder = this.folders.get(target);
    const subpackages = folder?.package?.subpackages ?? [];
    const hint =
      subpackages.length > 0
        ? `the package ${target} has the targets ${subpackages.map((name) => targetId(folder?.place.stage ?? "user", name)).join(", ")}`
        : folder !== undefined
          ? `mend ${folder.place.folder}/package.toml: it gives no target`
          : this.guess(target) || "add the package, or take the reference away";
    const message = `expected a target of this tree, found ${quoted(target)}`;
    return { rule: "unknown-target", severity: "error", file, line: use.line, column: use.column, message, hint };
  }

  private guess(target: string): string {
    if (this.guessesLeft === 0) return "";
    this.guessesLeft--;
    const name = parseTargetId(target)?.name ?? target;
    const namesakes = ["bootstrap", "core", "pallet", "user"].map((stage) => `${stage}-${name}`);
    const sameName = namesakes.filter((id) => id !== target && this.drafts.has(id));
    return didYouMean(sameName.length > 0 ? sameName : nearestNames(target, this.drafts.keys()));
  }
}
