/**
 * The report of `check`: the faults of a tree and what its rules find, with what the tree's maintainers silence taken out.
 */
import { limits } from "../base/index.js";
import { lintPackage, lintRules, resolveTargets, type TreePackage } from "../graph/index.js";
import {
  buildArguments,
  checkContainerfile,
  compareProblems,
  didYouMean,
  lineFinder,
  lookAtTreeFile,
  nearestNames,
  quoted,
  readTreeFile,
  targetId,
  treeConfigFile,
  type IgnoredRule,
  type Package,
  type Problem,
  type TreeFileSystem,
} from "../tree/index.js";
import type { LoadedTree } from "./load-tree.js";
import type { ReportTool } from "./fetch-report.js";

/** What is silenced, and how often it was found. */
export interface SilencedRule {
  readonly rule: string;
  readonly reason: string;
  readonly count: number;
}

export interface CheckReport {
  readonly tool: ReportTool;
  /** Sorted by file, line and column. */
  readonly findings: readonly Problem[];
  readonly silenced: readonly SilencedRule[];
  /** Present when a finding is an error. */
  readonly reasons?: readonly string[];
}

/**
 * Checks the whole tree, or the packages of the named targets. Faults of the tree's form are findings too, and cannot be
 * silenced.
 * @throws malformed `unknown-target`, `ambiguous-target`
 */
export function checkReport(
  fs: TreeFileSystem,
  tree: LoadedTree,
  words: readonly string[],
  tool: ReportTool,
): CheckReport {
  const folders = wantedFolders(tree, words);
  const packages = tree.packages.filter(({ place }) => folders === undefined || folders.has(place.folder));
  const targetIds = new Set(tree.graph.targets.keys());
  const linted = packages.map((read) => ({ read, findings: lint(fs, tree, read, targetIds) }));
  const silencer = new Silencer(tree.config.ignoredRules);
  const kept = linted.flatMap(({ read, findings }) => silencer.filter(packageId(read), findings));
  const faults = tree.graph.problems.filter(({ file }) => folders === undefined || folders.has(folderOf(file)));
  // Of a part of the tree nothing can be said about what would be silenced elsewhere.
  const unused = folders === undefined ? silencer.unused() : [];
  const findings = [...faults, ...silencer.unknown(), ...unused, ...kept].sort(compareProblems);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return {
    tool,
    findings,
    silenced: silencer.silenced(),
    ...(errors > 0 && {
      reasons: [`${String(errors)} ${errors === 1 ? "finding is an error" : "findings are errors"}`],
    }),
  };
}

/** Exit status of `check`: 2 for a tree of the wrong form, 1 where a rule is broken, 0 for warnings and none. */
export function checkStatus(report: CheckReport): 0 | 1 | 2 {
  const rules = new Set(lintRules.map(({ id }) => id));
  const errors = report.findings.filter(({ severity }) => severity === "error");
  if (errors.some(({ rule }) => !rules.has(rule))) return 2;
  return errors.length > 0 ? 1 : 0;
}

function wantedFolders(tree: LoadedTree, words: readonly string[]): ReadonlySet<string> | undefined {
  if (words.length === 0) return undefined;
  const ids = resolveTargets(tree.graph.targets, words);
  return new Set(ids.flatMap((id) => tree.graph.targets.get(id)?.package.folder ?? []));
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf("/")));
}

function packageId({ place }: TreePackage): string {
  return targetId(place.stage, place.name);
}

/** Rules are for well-formed packages: the faults of any other are findings already. */
function lint(
  fs: TreeFileSystem,
  tree: LoadedTree,
  read: TreePackage,
  targetIds: ReadonlySet<string>,
): readonly Problem[] {
  const pkg = read.package;
  const toml = readText(fs, tree.root, `${read.place.folder}/package.toml`, limits.tomlSize);
  const path = `${read.place.folder}/Containerfile`;
  const raw = readText(fs, tree.root, path, limits.containerfileSize);
  if (pkg === undefined || toml === undefined || raw === undefined) return [];
  const { file } = checkContainerfile(raw, path);
  if (file === undefined || read.problems.some(({ rule }) => rule === "bad-file-name")) return [];
  return lintPackage({
    tree: read,
    package: pkg,
    file,
    config: tree.config,
    targetIds,
    argumentNames: argumentNames(tree, pkg),
    tomlLine: lineFinder(toml.toString()),
  });
}

function argumentNames(tree: LoadedTree, pkg: Package): ReadonlySet<string> {
  const named = buildArguments(pkg, (target) => tree.graph.targets.get(target)?.version);
  return new Set(named.map(({ name }) => name));
}

function readText(fs: TreeFileSystem, root: string, path: string, sizeLimit: number): string | Buffer | undefined {
  const look = lookAtTreeFile(fs, root, path, sizeLimit);
  const read = "file" in look ? readTreeFile(fs, root, look.file) : undefined;
  return read !== undefined && "content" in read ? read.content : undefined;
}

/** Takes out what stagewright.toml silences, and counts it. */
class Silencer {
  private readonly counts = new Map<IgnoredRule, number>();

  constructor(private readonly ignored: readonly IgnoredRule[]) {}

  filter(id: string, findings: readonly Problem[]): readonly Problem[] {
    return findings.filter((finding) => {
      const by = this.ignored.find(
        ({ rule, packages }) => rule === finding.rule && (packages === undefined || packages.includes(id)),
      );
      if (by !== undefined) this.counts.set(by, (this.counts.get(by) ?? 0) + 1);
      return by === undefined;
    });
  }

  silenced(): readonly SilencedRule[] {
    return [...this.counts].map(([{ rule, reason }, count]) => ({ rule, reason, count }));
  }

  unknown(): readonly Problem[] {
    const ids = lintRules.map(({ id }) => id);
    return this.ignored.flatMap(({ rule, line }) => {
      if (ids.includes(rule)) return [];
      const message = `expected a rule of check in [[check.ignore]], found ${quoted(rule)}`;
      return [
        configProblem("unknown-rule", "error", line, message, didYouMean(nearestNames(rule, ids)) || "see docs/rules"),
      ];
    });
  }

  unused(): readonly Problem[] {
    const ids = new Set(lintRules.map(({ id }) => id));
    return this.ignored.flatMap((entry) => {
      if (this.counts.has(entry) || !ids.has(entry.rule)) return [];
      const message = `nothing is silenced by this entry for ${entry.rule}`;
      return [configProblem("unused-ignore", "warning", entry.line, message, "take it away")];
    });
  }
}

function configProblem(
  rule: string,
  severity: Problem["severity"],
  line: number,
  message: string,
  hint: string,
): Problem {
  return { rule, severity, file: treeConfigFile, line, column: 1, message, hint };
}
