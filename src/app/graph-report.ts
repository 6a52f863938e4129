/**
 * The report of `graph`: what a tree's targets are and how they hang together.
 */
import { compareText } from "../base/index.js";
import { closureOf, longestPath, resolveTargets, type Target } from "../graph/index.js";
import { hasErrors, type Problem } from "../tree/index.js";
import type { LoadedTree } from "./load-tree.js";
import type { ReportTool } from "./fetch-report.js";

/** One target in the report. */
export interface GraphReportTarget {
  readonly id: string;
  readonly stage: string;
  readonly name: string;
  /** Folder relative to the tree's root. */
  readonly package: string;
  readonly version: string | null;
  readonly platforms: readonly string[];
  /** Ids, sorted by bytes. */
  readonly dependencies: readonly string[];
  /** Id of the target whose version it takes. */
  readonly versionFrom: string | null;
}

export interface GraphReport {
  readonly tool: ReportTool;
  /** Sorted by id. */
  readonly targets: readonly GraphReportTarget[];
  /** Distinct target-to-target edges through FROM, COPY, ADD and RUN mounts. */
  readonly edges: number;
  /** Distinct target-to-target edges through `version_from`. */
  readonly versionEdges: number;
  /** Ids; each is built from the one before it. */
  readonly longestPath: readonly string[];
  /** Ids, dependencies first; what stands in or on a cycle is left out. */
  readonly order: readonly string[];
  /** Of the whole tree, whatever targets were asked for. */
  readonly problems: readonly Problem[];
  /** Present when a problem is an error. */
  readonly reasons?: readonly string[];
}

/**
 * The report of the whole tree, or of the named targets and all they stand on.
 * @param words ids, or bare names that one stage has
 * @throws malformed `unknown-target`, `ambiguous-target`
 */
export function graphReport(tree: LoadedTree, words: readonly string[], tool: ReportTool): GraphReport {
  const { graph } = tree;
  const all = new Map([...graph.targets.values()].map((target) => [target.id, target.dependencies]));
  const wanted = words.length === 0 ? undefined : closureOf(all, resolveTargets(graph.targets, words));
  const targets = [...graph.targets.values()].filter(({ id }) => wanted?.has(id) ?? true);
  const order = wanted === undefined ? graph.order : graph.order.filter((id) => wanted.has(id));
  const errors = graph.problems.filter((problem) => problem.severity === "error").length;
  return {
    tool,
    targets: targets.map(reportTarget),
    edges: targets.reduce((sum, { dependencies }) => sum + dependencies.length, 0),
    versionEdges: targets.filter(({ versionFrom }) => versionFrom !== undefined).length,
    longestPath: wanted === undefined ? graph.longestPath : longestPath(all, order),
    order,
    problems: graph.problems,
    ...(errors > 0 && { reasons: [`the tree has ${String(errors)} ${errors === 1 ? "error" : "errors"}`] }),
  };
}

/** Exit status of `graph`: 2 for a tree with errors. */
export function graphStatus(report: GraphReport): 0 | 2 {
  return hasErrors(report.problems) ? 2 : 0;
}

function reportTarget(target: Target): GraphReportTarget {
  return {
    id: target.id,
    stage: target.stage,
    name: target.name,
    package: target.package.folder,
    version: target.version ?? null,
    platforms: target.package.platforms,
    dependencies: target.dependencies,
    versionFrom: target.versionFrom ?? null,
  };
}

/** The graph in Graphviz's language; `version_from` is dashed. */
export function renderGraphDot(report: GraphReport): string {
  const lines = ["digraph tree {", "  rankdir=LR;", "  node [shape=box];"];
  for (const { id, stage } of report.targets) lines.push(`  "${id}" [group="${stage}"];`);
  for (const { id, dependencies, versionFrom } of report.targets) {
    for (const dependency of dependencies) lines.push(`  "${id}" -> "${dependency}";`);
    if (versionFrom !== null) lines.push(`  "${id}" -> "${versionFrom}" [style=dashed];`);
  }
  return `${lines.join("\n")}\n}\n`;
}

/** Ids of the report's targets that no other of them is built from, sorted by bytes. */
export function topTargets(report: GraphReport): readonly string[] {
  const used = new Set(report.targets.flatMap(({ dependencies }) => dependencies));
  return report.targets.flatMap(({ id }) => (used.has(id) ? [] : [id])).sort(compareText);
}
