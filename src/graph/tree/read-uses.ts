/**
 * Which images the targets of one package are built from. Rules TR-51 to TR-53 of docs/spec/tree.md.
 */
import { limits, StagewrightError } from "../../base/index.js";
import {
  buildArguments,
  checkContainerfile,
  imageReferences,
  problemOf,
  type Containerfile,
  type Package,
  type PackagePlace,
  type Problem,
} from "../../tree/index.js";
import { parsePlatform } from "../platform.js";
import { familiarImageName } from "../plan/image-name.js";
import type { StagesInput } from "../plan/input.js";
import { resolveStages, type StageTable } from "../plan/stages.js";
import { wordsOf, type Words } from "../plan/words.js";
import { subpackageStage, type ImageUse, type TargetUses } from "./tree-package.js";
import { targetNames } from "./versions.js";

/** What one Containerfile says about its package's targets. */
export interface ContainerfileUses {
  readonly targets: readonly TargetUses[];
  readonly unneeded: readonly ImageUse[];
  readonly problems: readonly Problem[];
}

/** The package that a Containerfile belongs to. */
export interface ContainerfileOwner {
  readonly place: PackagePlace;
  /** Undefined when package.toml gives no package: then only the syntax is checked. */
  readonly package: Package | undefined;
  /** Line in package.toml of the subpackage with this index. */
  readonly subpackageLine: (index: number) => number;
  /** Gives the version of the target that `version_from` names. */
  readonly resolveVersion: (target: string) => string | undefined;
}

/** Reads a Containerfile for the graph. Never throws: what is wrong is a problem. */
export function readContainerfileUses(raw: Uint8Array | string, owner: ContainerfileOwner): ContainerfileUses {
  const fileName = `${owner.place.folder}/Containerfile`;
  const checked = checkContainerfile(raw, fileName);
  const problems = checked.problems.map((error) => problemOf(error, fileName));
  const { package: pkg } = owner;
  if (pkg === undefined) return { targets: [], unneeded: [], problems };
  if (checked.file === undefined) return { targets: withoutImages(pkg), unneeded: [], problems };
  const input = stagesInput(checked.file, textOf(raw), owner, pkg, fileName);
  if ("rule" in input) return { targets: withoutImages(pkg), unneeded: [], problems: [input] };
  const work = pkg.subpackages.length * checked.file.stages.length;
  if (work > limits.stageResolutions) {
    return { targets: withoutImages(pkg), unneeded: [], problems: [tooManyStages(fileName, work)] };
  }
  const reading = new UsesReading(input, owner);
  const targets = targetNames(pkg).map((name, index) => reading.target(name, index));
  return { targets, unneeded: reading.unneeded(), problems: reading.problems };
}

function textOf(raw: Uint8Array | string): string {
  return typeof raw === "string" ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("utf8");
}

function tooManyStages(file: string, work: number): Problem {
  return {
    rule: "too-many-stages",
    severity: "error",
    file,
    line: 1,
    column: 1,
    message: `expected at most ${String(limits.stageResolutions)} for subpackages times stages, found ${String(work)}`,
    hint: "split the package",
  };
}

function withoutImages(pkg: Package): readonly TargetUses[] {
  return targetNames(pkg).map((name) => ({ name, images: [] }));
}

function stagesInput(
  file: Containerfile,
  text: string,
  owner: ContainerfileOwner,
  pkg: Package,
  fileName: string,
): StagesInput | Problem {
  try {
    const named = usesVariables(file) ? buildArguments(pkg, owner.resolveVersion) : [];
    return {
      file,
      fileName,
      text,
      platform: parsePlatform(pkg.platforms[0] ?? ""),
      buildArguments: new Map(named.map(({ name, value }) => [name, value])),
      targetStage: undefined,
      namedContexts: new Set(["fetch"]),
    };
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    return problemOf(thrown, `${pkg.folder}/package.toml`);
  }
}

/** Whether a FROM can depend on build arguments; `--from` of COPY and of mounts takes no variables. */
function usesVariables({ stages }: Containerfile): boolean {
  return stages.some(({ from }) => from.image.includes("$") || from.platform?.includes("$"));
}

class UsesReading {
  readonly problems: Problem[] = [];
  private readonly needed = new Set<number>();
  private readonly words: Words;

  constructor(
    private readonly input: StagesInput,
    private readonly owner: ContainerfileOwner,
  ) {
    const words = wordsOf(input, input.file.directives.escape);
    // Nearly every word of a FROM stands for itself.
    const expand: Words["expand"] = (word, variables, position) =>
      /[$"'\\`]/.test(word) ? words.expand(word, variables, position) : word;
    this.words = { ...words, expand };
  }

  target(name: string, index: number): TargetUses {
    const stage = this.owner.package?.subpackages.length === 0 ? undefined : subpackageStage(name);
    if (stage !== undefined && !this.hasStage(stage)) {
      this.problems.push(this.missingStage(name, stage, index));
      return { name, images: [] };
    }
    try {
      return { name, images: this.imagesOf(stage) };
    } catch (thrown) {
      if (!(thrown instanceof StagewrightError)) throw thrown;
      const problem = problemOf(thrown, this.input.fileName);
      // Targets of one file share most of their stages, and so the faults.
      if (!this.problems.some((other) => isSame(other, problem))) this.problems.push(problem);
      return { name, images: [] };
    }
  }

  /** Images of the stages that no target needs; what is wrong with such a stage harms no target and is not told. */
  unneeded(): readonly ImageUse[] {
    if (this.needed.size === this.input.file.stages.length) return [];
    const references = imageReferences(this.input.file, Object.fromEntries(this.input.buildArguments));
    return references.flatMap(({ image, position, stage }) => {
      const name = image === undefined || this.needed.has(stage) ? undefined : familiarImageName(image);
      return name === undefined ? [] : [{ image: name, line: position.line, column: position.column }];
    });
  }

  private hasStage(name: string): boolean {
    return this.input.file.stages.some(({ from }) => from.stage?.toLowerCase() === name);
  }

  private imagesOf(targetStage: string | undefined): readonly ImageUse[] {
    const table = resolveStages({ ...this.input, targetStage }, this.words);
    for (const { stage } of table.needed) this.needed.add(stage.index);
    return usesOf(table);
  }

  private missingStage(name: string, stage: string, index: number): Problem {
    const found = this.input.file.stages.flatMap(({ from }) => (from.stage === undefined ? [] : [from.stage]));
    const shown = found.slice(0, 40).join(", ");
    return {
      rule: "missing-stage",
      severity: "error",
      file: `${this.owner.place.folder}/package.toml`,
      line: this.owner.subpackageLine(index),
      column: 1,
      message: `expected a stage ${stage} in the Containerfile for the subpackage ${name}, found the stages ${shown || "none"}`,
      hint: `name the stage: FROM … AS ${stage}`,
    };
  }
}

/** The images of the needed stages, each at the place that names it first. */
function usesOf(table: StageTable): readonly ImageUse[] {
  const uses = new Map<string, ImageUse>();
  for (const { origin, position } of table.uses) {
    if (origin.kind !== "image" || uses.has(origin.name)) continue;
    uses.set(origin.name, { image: origin.name, line: position.line, column: position.column });
  }
  return [...uses.values()];
}

function isSame(a: Problem, b: Problem): boolean {
  return a.rule === b.rule && a.line === b.line && a.column === b.column && a.message === b.message;
}
