import type { Containerfile, Instruction, Stage } from "../../tree/index.js";
import { subpackageStage } from "../tree/tree-package.js";
import type { LintPackage } from "./rule.js";

/** The stages that make the package's images: the last, or one for each subpackage. */
export function resultStages({ file, package: pkg }: Pick<LintPackage, "file" | "package">): readonly Stage[] {
  if (pkg.subpackages.length === 0) return file.stages.slice(-1);
  const names = new Set(pkg.subpackages.map(subpackageStage));
  return file.stages.filter(({ from }) => from.stage !== undefined && names.has(from.stage.toLowerCase()));
}

/**
 * The stages whose instructions stand in the history of the package's images: the result stages, and the stages that
 * they are FROM. In the order of the file.
 */
export function historyStages(input: Pick<LintPackage, "file" | "package">): readonly Stage[] {
  const { file } = input;
  const bases = basesOf(file);
  const seen = new Set(resultStages(input));
  // A set may grow while it is walked: each stage is visited once.
  for (const stage of seen) {
    const base = bases.get(stage);
    if (base !== undefined) seen.add(base);
  }
  return [...seen].sort((a, b) => a.index - b.index);
}

function basesOf(file: Containerfile): ReadonlyMap<Stage, Stage> {
  const byName = new Map<string, Stage>();
  const bases = new Map<Stage, Stage>();
  for (const stage of file.stages) {
    const base = byName.get(stage.from.image);
    if (base !== undefined) bases.set(stage, base);
    if (stage.from.stage !== undefined) byName.set(stage.from.stage.toLowerCase(), stage);
  }
  return bases;
}

/** All instructions of all stages, in the order of the file. */
export function allInstructions(file: Containerfile): readonly Instruction[] {
  return file.stages.flatMap((stage) => stage.instructions);
}
