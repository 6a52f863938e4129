import type { BaseImage } from "../definition.js";
import {
  defaultPath,
  emptyImage,
  imageFrom,
  imageFromStage,
  setImageEnv,
  splitEnv,
  type ImageState,
} from "./image-state.js";
import { imageRef, refuse, spend, type PlanContext, type StageState } from "./plan-context.js";
import { nextWorkingDirectory } from "./paths.js";
import type { Origin, PlannedStage } from "./stages.js";

/** The state of a stage before its first instruction (rules PL-6 to PL-9). */
export function startStage(plan: PlanContext, planned: PlannedStage): StageState {
  const state = startFrom(plan, planned, planned.base);
  const { image, env } = state;
  if (!image.envPlaces.has("PATH")) setImageEnv(image, "PATH", defaultPath);
  for (const entry of image.env) {
    const { name, value } = splitEnv(entry);
    setVariable(env, name, value);
  }
  if (image.workingDirectory !== "") {
    image.workingDirectory = nextWorkingDirectory("/", image.workingDirectory);
  }
  spend(plan, sizeOf(state), planned.stage.from.start);
  return state;
}

/** As BuildKit's state does it: a variable that is set again moves to the end. */
export function setVariable(env: Map<string, string>, name: string, value: string): void {
  env.delete(name);
  env.set(name, value);
}

function startFrom(plan: PlanContext, planned: PlannedStage, base: Origin): StageState {
  const fresh = { planned, env: new Map<string, string>(), buildArguments: [], commandSet: false };
  switch (base.kind) {
    case "scratch":
      return { ...fresh, root: { kind: "scratch" }, image: emptyImage() };
    case "image":
      return { ...fresh, root: imageRef(plan, base.name, base.platform), image: imageFrom(resolve(plan, base)) };
    case "context":
      throw refuse(plan, planned.stage.from.imagePosition, {
        code: "base-is-folder",
        message: `expected an image or a stage, found the folder ${base.name}`,
        hint: `Write FROM scratch and COPY --from=${base.name} . /`,
      });
    case "stage":
      return { ...fresh, ...startFromStage(plan, planned, base.stage) };
  }
}

function startFromStage(
  plan: PlanContext,
  planned: PlannedStage,
  base: PlannedStage,
): Pick<StageState, "root" | "env" | "image"> {
  if (base.replacement !== undefined) return startFrom(plan, planned, base.replacement);
  const state = plan.finished.get(base);
  if (state === undefined) throw new Error(`stage ${base.stage.index} is used before it is planned`);
  // ARGs of the other stage stay visible, but are not this stage's own: its history does not list them.
  return { root: state.root, env: new Map(state.env), image: imageFromStage(state.image) };
}

function resolve(plan: PlanContext, base: Origin & { kind: "image" }): BaseImage {
  return plan.input.resolveImage(base.name, base.platform);
}

function sizeOf({ env, image }: { env: ReadonlyMap<string, string>; image: ImageState }): number {
  let size = image.history.length;
  for (const [name, value] of env) size += name.length + value.length + 2;
  return size;
}
