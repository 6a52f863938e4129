import { limits, malformed, StagewrightError } from "../../base/index.js";
import { quoted, type Position } from "../../tree/index.js";
import type { TargetDefinition } from "../definition.js";
import { renderPlatform, type Platform } from "../platform.js";
import { startBudget } from "./budget.js";
import { planInstruction } from "./dispatch.js";
import { imageFrom, renderConfig, renderHistory } from "./image-state.js";
import type { PlanInput, StagesInput } from "./input.js";
import { imageRef, refuse, type PlanContext, type StageState } from "./plan-context.js";
import { startStage } from "./start-stage.js";
import { refusal, type SourceFile } from "./refusal.js";
import { resolveStages, type PlannedStage, type StageTable } from "./stages.js";
import { pruneSteps } from "./step-refs.js";
import { wordsOf } from "./words.js";

const sandboxHostName = "buildkitsandbox";

/** An image that a target needs before it can be built. */
export interface RequiredImage {
  /** In familiar form: no `docker.io/library/`, no `:latest`. */
  readonly name: string;
  readonly platform: Platform;
  /** Where the file names it first. */
  readonly position: Position;
}

/**
 * What a Containerfile means for one target and platform, as BuildKit 0.13 reads it: docs/spec/plan.md.
 * @throws malformed with `FILE:LINE:COLUMN` for what cannot be built here, and what `resolveImage` throws.
 */
export function planTarget(input: PlanInput): TargetDefinition {
  checkArguments(input);
  const source = { fileName: input.fileName, text: input.text };
  const words = wordsOf(source, input.file.directives.escape);
  const table = resolveStages(input, words);
  for (const image of imagesOf(table)) resolvePlaced(input, source, image);
  const plan: PlanContext = { input, table, words, budget: startBudget(), steps: [], finished: new Map() };
  for (const stage of table.needed) if (stage.replacement === undefined) planStage(plan, stage);
  return define(plan);
}

/**
 * The images from outside the file that the target stands on through FROM, COPY `--from` and RUN `--mount`, each once.
 * @throws malformed as {@link planTarget}, but for faults inside of instructions.
 */
export function requiredImages(input: StagesInput): readonly RequiredImage[] {
  const source = { fileName: input.fileName, text: input.text };
  return imagesOf(resolveStages(input, wordsOf(source, input.file.directives.escape)));
}

function imagesOf({ uses }: StageTable): readonly RequiredImage[] {
  const images = new Map<string, RequiredImage>();
  for (const { origin, position } of uses) {
    if (origin.kind !== "image") continue;
    const { name, platform } = origin;
    const key = `${name} ${renderPlatform(platform)}`;
    if (!images.has(key)) images.set(key, { name, platform, position });
  }
  return [...images.values()];
}

/** An image that cannot be had is blamed on the place that names it. */
function resolvePlaced(input: PlanInput, source: SourceFile, { name, platform, position }: RequiredImage): void {
  try {
    input.resolveImage(name, platform);
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError) || thrown.kind !== "malformed") throw thrown;
    const hint = thrown.hint ?? "Name an image of the tree, or give the image as a named context.";
    throw refusal(source, position, { code: thrown.code, message: thrown.message, hint, cause: thrown });
  }
}

function planStage(plan: PlanContext, stage: PlannedStage): void {
  const state = startStage(plan, stage);
  for (const instruction of stage.stage.instructions) planInstruction(plan, state, instruction);
  plan.finished.set(stage, state);
}

function define(plan: PlanContext): TargetDefinition {
  const { target } = plan.table;
  const { root, image } = resultOf(plan, target);
  const history = renderHistory(image);
  const layers = history.filter((entry) => !entry.empty_layer).length;
  if (layers > limits.layers) {
    throw refuse(plan, target.stage.from.start, {
      code: "too-many-layers",
      message: `expected an image of at most ${limits.layers} layers, found ${layers}`,
      hint: "Join RUN and COPY instructions, or copy the result into a new stage.",
    });
  }
  const { platform } = plan.input;
  const definition = { platform, ...pruneSteps(plan.steps, root), config: renderConfig(image), history };
  return image.author === undefined ? definition : { ...definition, author: image.author };
}

function resultOf(plan: PlanContext, target: PlannedStage): Pick<StageState, "root" | "image"> {
  const { replacement } = target;
  const state = plan.finished.get(target);
  if (state !== undefined) return state;
  if (replacement?.kind === "image") {
    const { name, platform } = replacement;
    return { root: imageRef(plan, name, platform), image: imageFrom(plan.input.resolveImage(name, platform)) };
  }
  throw refuse(plan, target.stage.from.start, {
    code: "target-is-folder",
    message: `expected a stage that makes an image, found the folder ${target.name ?? ""} in its place`,
    hint: "Give the stage another name than the named folder's, or name another target.",
  });
}

/** BuildKit takes some settings as build arguments; those that would change a sandbox are not taken in silence. */
function checkArguments({ buildArguments, fileName }: StagesInput): void {
  const hostName = buildArguments.get("BUILDKIT_SANDBOX_HOSTNAME") ?? "";
  if (hostName === "" || hostName === sandboxHostName) return;
  throw malformed({
    code: "host-name-fixed",
    subject: fileName,
    message: `expected the host name ${sandboxHostName} inside of the sandbox, found ${quoted(hostName)}`,
    hint: "Remove the build argument BUILDKIT_SANDBOX_HOSTNAME.",
  });
}
