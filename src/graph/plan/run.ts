/** RUN: its argument list, environment, mounts and history (rules PL-40 to PL-59). */
import { flagValue, quoted, runProgram, type RunInstruction } from "../../tree/index.js";
import type { RunStep } from "../definition.js";
import { checkHeredocName } from "./heredoc-name.js";
import { inShell } from "./metadata.js";
import { planMounts } from "./mounts.js";
import { cleanPath } from "./paths.js";
import {
  addStep,
  commit,
  flagPosition,
  originOf,
  refuse,
  spend,
  type PlanContext,
  type StageState,
} from "./plan-context.js";
import { proxyEnvironment } from "./proxies.js";

export function planRun(plan: PlanContext, state: StageState, instruction: RunInstruction): void {
  const { argv, scripts } = commandOf(plan, state, instruction);
  checkSecurity(plan, instruction);
  const env = [...environmentOf(state), ...proxyEnvironment(plan.input.buildArguments)];
  const size = env.reduce((sum, entry) => sum + entry.length, 0);
  spend(plan, size, instruction.start);
  addStep(plan, state, {
    kind: "run",
    base: state.root,
    argv,
    env,
    cwd: cleanPath(state.image.workingDirectory),
    user: state.image.user,
    mounts: planMounts(plan, state, instruction),
    scripts,
    network: networkOf(plan, instruction),
    origin: originOf(instruction),
  });
  commit(plan, state, `RUN ${historyText(state, argv)} # buildkit`, true, instruction.start);
}

function environmentOf({ env }: StageState): readonly string[] {
  return [...env].map(([name, value]) => `${name}=${value}`);
}

/** ARGs of the stage come first, each with the value that the command sees: an ENV of the same name wins. */
function historyText({ env, buildArguments }: StageState, argv: readonly string[]): string {
  const args = buildArguments.map(({ name, value }) => `${name}=${env.get(name) ?? value ?? ""}`);
  return [...(args.length === 0 ? [] : [`|${args.length}`, ...args]), ...argv].join(" ");
}

function commandOf(
  plan: PlanContext,
  state: StageState,
  instruction: RunInstruction,
): Pick<RunStep, "argv" | "scripts"> {
  const program = runProgram(instruction);
  switch (program.kind) {
    case "exec":
      return { argv: program.argv, scripts: [] };
    case "shell":
      return { argv: inShell(state, program.text), scripts: [] };
    case "script":
      for (const { name } of instruction.heredocs) checkHeredocName(plan, name, instruction.start);
      return { argv: inShell(state, program.path), scripts: [{ path: program.path, data: program.data }] };
  }
}

function networkOf(plan: PlanContext, instruction: RunInstruction): RunStep["network"] {
  const network = flagValue(instruction, "network") ?? "default";
  if (network === "none" || network === "default" || network === "host") return network;
  throw refuse(plan, flagPosition(instruction, "network"), {
    code: "bad-network",
    message: `expected --network to be none, default or host, found ${quoted(network)}`,
    hint: "Write --network=none: a build has no network.",
  });
}

function checkSecurity(plan: PlanContext, instruction: RunInstruction): void {
  const security = flagValue(instruction, "security") ?? "sandbox";
  if (security === "sandbox") return;
  throw refuse(plan, flagPosition(instruction, "security"), {
    code: "bad-security",
    message: `expected --security=sandbox, found ${quoted(security)}`,
    hint: "Remove the flag: no step runs outside of the sandbox.",
  });
}
