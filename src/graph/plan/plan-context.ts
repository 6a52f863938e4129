import { limits } from "../../base/index.js";
import type { Instruction, Position } from "../../tree/index.js";
import type { SourceRef, StateRef, Step, StepOrigin } from "../definition.js";
import { samePlatform, type Platform } from "../platform.js";
import type { Budget } from "./budget.js";
import { addHistory, type ImageState } from "./image-state.js";
import type { PlanInput } from "./input.js";
import { refusal, type RefusalDetails } from "./refusal.js";
import type { Origin, PlannedStage, StageTable } from "./stages.js";
import type { Words } from "./words.js";

/** A stage while it is planned: what BuildKit keeps in its state, and the image that would come of it. */
export interface StageState {
  readonly planned: PlannedStage;
  root: StateRef;
  /** What words are expanded with and RUN is given, in RUN's order: ENV and ARG, the latest last. */
  readonly env: Map<string, string>;
  readonly image: ImageState;
  /** ARGs of this stage in order, repeated ones too; a stage FROM another starts with none. */
  readonly buildArguments: { readonly name: string; readonly value: string | undefined }[];
  /** Whether this stage had a CMD: only then does ENTRYPOINT keep it. */
  commandSet: boolean;
}

/** What the planning of one instruction may use: the stages planned so far, the steps so far, the rules of words. */
export interface PlanContext {
  readonly input: PlanInput;
  readonly table: StageTable;
  readonly words: Words;
  readonly budget: Budget;
  readonly steps: Step[];
  /** Final states of the stages planned so far. */
  readonly finished: Map<PlannedStage, StageState>;
}

export function refuse(plan: PlanContext, position: Position, details: RefusalDetails): Error {
  return refusal(plan.table.source, position, details);
}

/** @throws malformed `plan-too-large` when the texts of this plan add up to more than the limit. */
export function spend(plan: PlanContext, characters: number, position: Position): void {
  if (plan.budget.spend(characters)) return;
  throw refuse(plan, position, {
    code: "plan-too-large",
    message: `expected a file that expands to at most ${limits.planSize} characters, found more`,
    hint: "Look for a variable that grows with every line, or a very wide EXPOSE.",
  });
}

/** A step's state as the new root of its stage. */
export function addStep(plan: PlanContext, state: StageState, step: Step): void {
  state.root = { kind: "step", step: plan.steps.length };
  plan.steps.push(step);
}

/** An entry of the image's history. */
export function commit(plan: PlanContext, state: StageState, text: string, layer: boolean, position: Position): void {
  spend(plan, text.length, position);
  addHistory(state.image, text, layer);
}

/** Place of the flag `name`, or of its instruction. */
export function flagPosition({ flags, start }: Instruction, name: string): Position {
  return flags.find((flag) => flag.name === name)?.position ?? start;
}

const longestOrigin = 200;

export function originOf({ start, endLine, text }: Instruction): StepOrigin {
  return { line: start.line, endLine, text: text.slice(0, longestOrigin) };
}

/** What an origin is for a step that reads from it. */
export function sourceRef(plan: PlanContext, origin: Origin): SourceRef {
  switch (origin.kind) {
    case "scratch":
      return { kind: "scratch" };
    case "context":
      return { kind: "context", name: origin.name, dockerignore: true };
    case "image":
      return imageRef(plan, origin.name, origin.platform);
    case "stage":
      return stageRef(plan, origin.stage);
  }
}

function stageRef(plan: PlanContext, stage: PlannedStage): SourceRef {
  if (stage.replacement !== undefined) return sourceRef(plan, stage.replacement);
  const state = plan.finished.get(stage);
  if (state === undefined) throw new Error(`stage ${stage.stage.index} is used before it is planned`);
  return state.root;
}

export function imageRef(plan: PlanContext, image: string, platform: Platform): StateRef {
  return samePlatform(platform, plan.input.platform) ? { kind: "image", image } : { kind: "image", image, platform };
}
