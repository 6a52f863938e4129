import type { Instruction } from "../../tree/index.js";
import { planCopy } from "./copy.js";
import {
  planArg,
  planCommand,
  planEnv,
  planExpose,
  planHealthcheck,
  planLabel,
  planMaintainer,
  planShell,
  planStopSignal,
  planUser,
  planVolume,
} from "./metadata.js";
import type { PlanContext, StageState } from "./plan-context.js";
import { planRun } from "./run.js";
import { planWorkdir } from "./workdir.js";

/** Plans one instruction: steps, configuration, history. */
export function planInstruction(plan: PlanContext, state: StageState, instruction: Instruction): void {
  switch (instruction.keyword) {
    case "ARG":
      return planArg(plan, state, instruction);
    case "ENV":
      return planEnv(plan, state, instruction);
    case "LABEL":
      return planLabel(plan, state, instruction);
    case "RUN":
      return planRun(plan, state, instruction);
    case "COPY":
    case "ADD":
      return planCopy(plan, state, instruction);
    case "CMD":
    case "ENTRYPOINT":
      return planCommand(plan, state, instruction);
    case "SHELL":
      return planShell(plan, state, instruction);
    case "HEALTHCHECK":
      return planHealthcheck(plan, state, instruction);
    case "WORKDIR":
      return planWorkdir(plan, state, instruction);
    case "USER":
      return planUser(plan, state, instruction);
    case "STOPSIGNAL":
      return planStopSignal(plan, state, instruction);
    case "MAINTAINER":
      return planMaintainer(plan, state, instruction);
    case "EXPOSE":
      return planExpose(plan, state, instruction);
    case "VOLUME":
      return planVolume(plan, state, instruction);
  }
}
