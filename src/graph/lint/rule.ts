import type { Containerfile, Package, Position, Severity, TreeConfig } from "../../tree/index.js";
import type { TreePackage } from "../tree/tree-package.js";

/** One package as the rules of `check` see it: both its files are well formed. */
export interface LintPackage {
  readonly tree: TreePackage;
  readonly package: Package;
  readonly file: Containerfile;
  readonly config: TreeConfig;
  /** Ids of all targets of the tree. */
  readonly targetIds: ReadonlySet<string>;
  /** Names of the build arguments that the package gets. */
  readonly argumentNames: ReadonlySet<string>;
  /** Line of a value in package.toml, from 1. */
  readonly tomlLine: (path: readonly string[]) => number;
}

/** What a rule found; the linter adds the rule, its severity and the path. */
export interface LintFinding {
  readonly in: "Containerfile" | "package.toml";
  readonly place: Position;
  readonly message: string;
  readonly hint: string;
}

/** A rule of `check`. Each has a page docs/rules/ID.md. */
export interface LintRule {
  readonly id: string;
  readonly severity: Severity;
  /** What the rule demands, in one line. */
  readonly title: string;
  readonly check: (input: LintPackage) => readonly LintFinding[];
}
