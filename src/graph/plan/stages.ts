/**
 * Which stages a target needs, and what each stands on. Of an unneeded stage only the FROM line is read, so that one
 * file may describe targets whose dependencies are not all there.
 */
import { quoted, type Instruction, type Position, type Stage } from "../../tree/index.js";
import { readPlatform, type Platform } from "../platform.js";
import { familiarImageName } from "./image-name.js";
import type { StagesInput } from "./input.js";
import { refusal, type SourceFile } from "./refusal.js";
import { globalScope, type GlobalScope } from "./scope.js";
import { copySourceName, mountSourceNames, type SourceName } from "./source-names.js";
import type { Words } from "./words.js";

/** What a FROM or `--from` means. */
export type Origin =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly stage: PlannedStage }
  | { readonly kind: "image"; readonly name: string; readonly platform: Platform }
  | { readonly kind: "context"; readonly name: string };

export interface PlannedStage {
  readonly stage: Stage;
  /** Lower case. */
  readonly name: string | undefined;
  readonly base: Origin;
  /** What takes the stage's place: a named context of its name. Then its own instructions are not planned. */
  readonly replacement: Origin | undefined;
}

/** A place of the file that names an origin. */
export interface OriginUse {
  readonly origin: Origin;
  readonly position: Position;
}

export interface StageTable {
  readonly source: SourceFile;
  readonly scope: GlobalScope;
  readonly target: PlannedStage;
  /** The target and what it needs, in the order of the file; the target is the last. */
  readonly needed: readonly PlannedStage[];
  /** What those stages stand on and read from, as often as they say so. */
  readonly uses: readonly OriginUse[];
  /** Meaning of `--from` in a stage (rules PL-4 and PL-5). */
  readonly originOf: (reference: string, position: Position, numbers: boolean) => Origin;
}

/** @throws malformed for names that mean nothing, wrong platforms, cycles, and uses of a later stage. */
export function resolveStages(input: StagesInput, words: Words): StageTable {
  const source = { fileName: input.fileName, text: input.text };
  const resolver = new StageResolver(input, source, words);
  const target = resolver.target();
  return {
    source,
    scope: resolver.scope,
    target,
    ...resolver.neededFor(target),
    originOf: (reference, position, numbers) => resolver.originOf(reference, position, numbers),
  };
}

class StageResolver {
  readonly scope: GlobalScope;
  readonly #stages: PlannedStage[] = [];
  readonly #byName = new Map<string, PlannedStage>();
  readonly #input: StagesInput;
  readonly #source: SourceFile;
  readonly #words: Words;

  constructor(input: StagesInput, source: SourceFile, words: Words) {
    this.#input = input;
    this.#source = source;
    this.#words = words;
    this.scope = globalScope(input, words);
    for (const stage of input.file.stages) this.#add(stage);
  }

  target(): PlannedStage {
    const wanted = this.#input.targetStage;
    const target = wanted === undefined ? this.#stages.at(-1) : this.#byName.get(wanted.toLowerCase());
    if (target !== undefined) return target;
    const names = [...this.#byName.keys()].join(", ");
    throw this.#refuse(this.#input.file.stages.at(-1)?.from.start ?? { line: 1, column: 1 }, {
      code: "unknown-target-stage",
      message: `expected a stage named ${quoted(wanted ?? "")}, found ${names === "" ? "no named stage" : names}`,
      hint: "Name one of these stages, or add the stage to the file.",
    });
  }

  /** The stages that `target` reaches, itself last. */
  neededFor(target: PlannedStage): Pick<StageTable, "needed" | "uses"> {
    const needed = new Set<PlannedStage>([target]);
    const uses: OriginUse[] = [];
    // A set may grow while it is walked: each stage is visited once.
    for (const stage of needed) {
      for (const use of this.#usesOf(stage)) {
        uses.push(use);
        if (use.origin.kind === "stage") needed.add(use.origin.stage);
      }
    }
    return { needed: [...needed].sort((a, b) => a.stage.index - b.stage.index), uses };
  }

  originOf(reference: string, position: Position, numbers: boolean): Origin {
    const named = this.#byName.get(reference.toLowerCase());
    if (numbers && /^[-+]?[0-9]+$/.test(reference)) return this.#numbered(reference, position);
    if (named !== undefined) return { kind: "stage", stage: named };
    return this.#outside(reference, this.#input.platform, position);
  }

  #add(stage: Stage): void {
    const name = stage.from.stage?.toLowerCase();
    const replacement = name === undefined ? undefined : this.#replacement(name);
    const base = replacement ?? this.#base(stage);
    const planned: PlannedStage = { stage, name, base, replacement };
    this.#stages.push(planned);
    if (name !== undefined) this.#byName.set(name, planned);
  }

  #replacement(name: string): Origin | undefined {
    if (name === "scratch" || name === "context") return undefined;
    if (this.#input.namedContexts.has(name)) return { kind: "context", name };
    if (this.#input.namedImages?.has(name)) return { kind: "image", name, platform: this.#input.platform };
    return undefined;
  }

  #base({ from }: Stage): Origin {
    const image = this.#words.expand(from.image, this.scope.variables, from.imagePosition);
    const platform = from.platform === undefined ? this.#input.platform : this.#platform(from.platform, from.start);
    if (image === "") {
      throw this.#refuse(from.imagePosition, {
        code: "empty-base-name",
        message: `expected the name of an image, found that ${quoted(from.image)} expands to nothing`,
        hint: "Give the ARG a default before the first FROM, or pass it as a build argument.",
      });
    }
    // Stages have lower-case names, and BuildKit compares them with FROM as it is written.
    const stage = this.#byName.get(image);
    return stage === undefined ? this.#outside(image, platform, from.imagePosition) : { kind: "stage", stage };
  }

  #platform(raw: string, position: Position): Platform {
    const text = this.#words.expand(raw, this.scope.variables, position);
    const platform = readPlatform(text);
    if (platform !== undefined) return platform;
    throw this.#refuse(position, {
      code: "bad-platform",
      message: `expected a platform of Linux such as linux/amd64, found ${quoted(text)}`,
      hint: "Write --platform=linux/ARCHITECTURE, or leave the flag out to use the target's platform.",
    });
  }

  #outside(reference: string, platform: Platform, position: Position): Origin {
    if (reference === "scratch") return { kind: "scratch" };
    const name = familiarImageName(reference);
    if (name !== undefined) {
      return this.#input.namedContexts.has(name) ? { kind: "context", name } : { kind: "image", name, platform };
    }
    const stage = this.#byName.get(reference.toLowerCase())?.name;
    throw this.#refuse(position, {
      code: "bad-image-name",
      message: `expected a stage or an image, found ${quoted(reference)}`,
      hint:
        stage === undefined
          ? "Image names are lower case, such as prefix/core-name; variables are expanded in FROM only, not in --from."
          : `Write ${stage}: FROM compares stage names by case.`,
    });
  }

  #numbered(reference: string, position: Position): Origin {
    const stage = this.#stages[Number(reference)];
    if (stage !== undefined) return { kind: "stage", stage };
    throw this.#refuse(position, {
      code: "unknown-stage",
      message: `expected the number of a stage from 0 to ${this.#stages.length - 1}, found ${reference}`,
      hint: "Name the stage with AS and use its name.",
    });
  }

  #usesOf({ stage, base, replacement }: PlannedStage): readonly OriginUse[] {
    const position = stage.from.imagePosition;
    if (replacement !== undefined) return [{ origin: replacement, position }];
    const named = stage.instructions.flatMap((instruction) => this.#namedBy(stage, instruction));
    return [{ origin: base, position }, ...named];
  }

  #namedBy(user: Stage, instruction: Instruction): readonly OriginUse[] {
    const copied = copySourceName(instruction);
    const uses = mountSourceNames(instruction).map((named) => this.#use(named, false));
    if (copied !== undefined) uses.push(this.#use(copied, true));
    for (const { origin } of uses) this.#checkOrder(user, origin, instruction.start);
    return uses;
  }

  #use({ name, position }: SourceName, numbers: boolean): OriginUse {
    return { origin: this.originOf(name, position, numbers), position };
  }

  #checkOrder(user: Stage, origin: Origin, position: Position): void {
    if (origin.kind !== "stage" || origin.stage.replacement !== undefined) return;
    if (origin.stage.stage.index < user.index) return;
    const name = origin.stage.name ?? String(origin.stage.stage.index);
    throw this.#refuse(position, {
      code: "stage-used-before-definition",
      message: `expected an earlier stage, found ${quoted(name)}, which begins at line ${origin.stage.stage.from.start.line}`,
      hint: "Move the stage before the one that uses it: a stage cannot use itself or a later one.",
    });
  }

  #refuse(position: Position, details: { code: string; message: string; hint: string }): Error {
    return refusal(this.#source, position, details);
  }
}
