import type { WordInstruction } from "../../tree/index.js";
import { ownerOf } from "./copy.js";
import { cleanPath, nextWorkingDirectory } from "./paths.js";
import { addStep, commit, originOf, type PlanContext, type StageState } from "./plan-context.js";

/** WORKDIR: the folder is made and belongs to USER; `/` is there already, so that it makes no layer. */
export function planWorkdir(plan: PlanContext, state: StageState, instruction: WordInstruction): void {
  const { image } = state;
  const word = plan.words.expand(instruction.value, state.env, instruction.start);
  const folder = nextWorkingDirectory(image.workingDirectory, word);
  image.workingDirectory = folder;
  const makesLayer = folder !== "/";
  if (makesLayer) {
    addStep(plan, state, {
      kind: "file",
      base: state.root,
      actions: [{ kind: "mkdir", path: cleanPath(folder), mode: 0o755, owner: ownerOf(image.user) }],
      link: false,
      origin: originOf(instruction),
    });
  }
  commit(plan, state, `WORKDIR ${folder}`, makesLayer, instruction.start);
}
