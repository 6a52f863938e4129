import { StagewrightError } from "../../base/index.js";
import type { Containerfile, Position, Stage } from "./ast.js";
import { expandWord, type VariableLookup } from "./expand.js";
import { createExpansionBudget, type ExpansionBudget } from "./expansion-budget.js";
import { mountSource } from "./run-mount.js";

/** A name outside the file that an instruction builds on: an image or a named context. */
export interface ImageReference {
  readonly instruction: "FROM" | "COPY" | "RUN";
  /** After expansion; undefined where it is blank or cannot be expanded. */
  readonly image: string | undefined;
  /** As it stands in the file. */
  readonly written: string;
  /** The image of a FROM; the flag of a COPY or RUN. */
  readonly position: Position;
  /** Index of the stage. */
  readonly stage: number;
}

/**
 * Every image and named context that a Containerfile mentions, in the order of the file: in FROM, in `--from` of COPY, in
 * `from=` of a mount of RUN. Stages of the file and `scratch` are none. Variables (FROM only: the others take none) have
 * the values of `buildArguments`, of the global ARGs, and of `platformArguments` (`TARGETARCH` …), in this order.
 */
export function imageReferences(
  file: Containerfile,
  buildArguments: Readonly<Record<string, string>>,
  platformArguments: Readonly<Record<string, string>> = {},
): readonly ImageReference[] {
  const budget = createExpansionBudget();
  const lookup = globalLookup(file, buildArguments, platformArguments, budget);
  // FROM sees the stages before it only. BuildKit refuses a COPY from a later one; an image it never is.
  const earlier = new Set<string>();
  const all = new Set(file.stages.flatMap((stage) => stage.from.stage ?? []));
  const references: ImageReference[] = [];
  for (const stage of file.stages) {
    const { image: written, imagePosition: position } = stage.from;
    const image = tryExpand(written, lookup, file, budget);
    if (image !== "scratch" && !earlier.has(image ?? "")) {
      references.push({ instruction: "FROM", image, written, position, stage: stage.index });
    }
    references.push(...stageReferences(stage, all));
    if (stage.from.stage !== undefined) earlier.add(stage.from.stage);
  }
  return references;
}

function stageReferences(stage: Stage, names: ReadonlySet<string>): readonly ImageReference[] {
  const isOutside = (name: string): boolean => name !== "" && name !== "scratch" && !names.has(name.toLowerCase());
  const references: ImageReference[] = [];
  for (const instruction of stage.instructions) {
    if (instruction.keyword !== "COPY" && instruction.keyword !== "RUN") continue;
    for (const { name, value = "", position } of instruction.flags) {
      const written = sourceOf(instruction.keyword, name, value);
      if (written === undefined || !isOutside(written)) continue;
      references.push({ instruction: instruction.keyword, image: written, written, position, stage: stage.index });
    }
  }
  return references;
}

function sourceOf(keyword: "COPY" | "RUN", flag: string, value: string): string | undefined {
  // A number names a stage by its index, in COPY only.
  if (keyword === "COPY") return flag === "from" && !/^[+-]?\d+$/.test(value) ? value : undefined;
  return flag === "mount" ? mountSource(value) : undefined;
}

function globalLookup(
  file: Containerfile,
  buildArguments: Readonly<Record<string, string>>,
  platformArguments: Readonly<Record<string, string>>,
  budget: ExpansionBudget,
): VariableLookup {
  const values = new Map<string, string>();
  const lookup: VariableLookup = (name) =>
    values.get(name) ?? (Object.hasOwn(platformArguments, name) ? platformArguments[name] : undefined);
  for (const { key, value } of file.globalArgs.flatMap((instruction) => instruction.args)) {
    const given = Object.hasOwn(buildArguments, key) ? buildArguments[key] : undefined;
    const chosen = given ?? (value === undefined ? undefined : tryExpand(value, lookup, file, budget));
    if (chosen !== undefined) values.set(key, chosen);
  }
  return lookup;
}

function tryExpand(
  word: string,
  lookup: VariableLookup,
  file: Containerfile,
  budget: ExpansionBudget,
): string | undefined {
  try {
    return expandWord(word, lookup, file.directives.escape, { budget }) || undefined;
  } catch (error) {
    // The planner expands the same word and reports what is wrong with it; here it only names no image.
    if (error instanceof StagewrightError) return undefined;
    throw error;
  }
}
