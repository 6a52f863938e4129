/** Instructions that make no layer: ENV, ARG, LABEL, USER, CMD, ENTRYPOINT, EXPOSE, VOLUME and the like. */
import type {
  ArgInstruction,
  CommandInstruction,
  CommandLine,
  EnvInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  ShellInstruction,
  WordInstruction,
  WordListInstruction,
} from "../../tree/index.js";
import { quoted } from "../../tree/index.js";
import type { ContainerConfig } from "../definition.js";
import { quoteNumber, quoteText, quoteTexts, renderDuration } from "./go-format.js";
import { setImageEnv } from "./image-state.js";
import { commit, refuse, spend, type PlanContext, type StageState } from "./plan-context.js";
import { parsePort, portsOf } from "./ports.js";
import { isStopSignal } from "./signals.js";
import { setVariable } from "./start-stage.js";

/** ENV: every value is expanded with the variables before the instruction, also `ENV A=1 B=$A`. */
export function planEnv(plan: PlanContext, state: StageState, { pairs, start }: EnvInstruction): void {
  const expanded = pairs.map(({ key, value }) => ({
    key: plan.words.expand(key, state.env, start),
    value: plan.words.expand(value, state.env, start),
  }));
  for (const { key, value } of expanded) {
    setVariable(state.env, key, value);
    setImageEnv(state.image, key, value);
  }
  commit(plan, state, `ENV ${expanded.map(({ key, value }) => `${key}=${value}`).join(" ")}`, false, start);
}

/** ARG: the history has the default as expanded, never the value that was given (the form of BuildKit 0.13). */
export function planArg(plan: PlanContext, state: StageState, { args, start }: ArgInstruction): void {
  const expanded = args.map(({ key, value }) => ({
    name: plan.words.expand(key, state.env, start),
    fallback: value === undefined ? undefined : plan.words.expand(value, state.env, start),
  }));
  for (const { name, fallback } of expanded) {
    const value = plan.input.buildArguments.get(name) ?? fallback ?? plan.table.scope.args.get(name);
    if (value !== undefined) setVariable(state.env, name, value);
    state.buildArguments.push({ name, value });
  }
  const texts = expanded.map(({ name, fallback }) => (fallback === undefined ? name : `${name}=${fallback}`));
  commit(plan, state, `ARG ${texts.join(" ")}`, false, start);
}

export function planLabel(plan: PlanContext, state: StageState, { pairs, start }: LabelInstruction): void {
  const labels = (state.image.labels ??= new Map());
  const texts = pairs.map(({ key, value }) => {
    const name = plan.words.expand(key, state.env, start);
    const text = plan.words.expand(value, state.env, start);
    labels.set(name, text);
    return `${name}=${text}`;
  });
  commit(plan, state, `LABEL ${texts.join(" ")}`, false, start);
}

export function planUser(plan: PlanContext, state: StageState, { value, start }: WordInstruction): void {
  state.image.user = plan.words.expand(value, state.env, start);
  commit(plan, state, `USER ${state.image.user}`, false, start);
}

export function planMaintainer(plan: PlanContext, state: StageState, { value, start }: WordInstruction): void {
  state.image.author = value;
  commit(plan, state, `MAINTAINER ${value}`, false, start);
}

export function planStopSignal(plan: PlanContext, state: StageState, { value, start }: WordInstruction): void {
  const signal = plan.words.expand(value, state.env, start);
  if (!isStopSignal(signal)) {
    throw refuse(plan, start, {
      code: "bad-stop-signal",
      message: `expected the name or number of a signal, found ${quoted(signal)}`,
      hint: "Write a name such as SIGTERM, or a number other than 0.",
    });
  }
  state.image.stopSignal = signal;
  commit(plan, state, `STOPSIGNAL ${signal}`, false, start);
}

export function planShell(plan: PlanContext, state: StageState, { argv, start }: ShellInstruction): void {
  state.image.shell = argv;
  commit(plan, state, `SHELL [${argv.join(" ")}]`, false, start);
}

/** The argument list of a command: the shell form runs in SHELL, or in `/bin/sh -c`. */
export function argvOf(state: StageState, command: CommandLine): readonly string[] {
  return command.form === "exec" ? command.argv : inShell(state, command.text);
}

export function inShell(state: StageState, script: string): readonly string[] {
  const { shell } = state.image;
  return [...(shell.length > 0 ? shell : ["/bin/sh", "-c"]), script];
}

/** CMD and ENTRYPOINT; an ENTRYPOINT drops a CMD that comes from the base, not one of the same stage. */
export function planCommand(plan: PlanContext, state: StageState, instruction: CommandInstruction): void {
  const { keyword, command, start } = instruction;
  const argv = argvOf(state, command);
  if (keyword === "CMD") {
    state.image.cmd = argv;
    state.image.argsEscaped = true;
    state.commandSet = true;
  } else {
    state.image.entrypoint = argv;
    if (!state.commandSet) state.image.cmd = [];
  }
  commit(plan, state, `${keyword} ${quoteTexts(argv)}`, false, start);
}

export function planExpose(plan: PlanContext, state: StageState, { values, start }: WordListInstruction): void {
  const ports = new Set<string>();
  for (const word of values.flatMap((value) => plan.words.split(value, state.env, start))) {
    const range = parsePort(word);
    if ("problem" in range) {
      throw refuse(plan, start, {
        code: "bad-port",
        message: `expected a port, found ${quoted(word)}: ${range.problem}`,
        hint: "Write PORT or PORT/PROTOCOL, such as 80/tcp.",
      });
    }
    spend(plan, (range.last - range.first + 1) * "65535/sctp:{} ".length, start);
    for (const port of portsOf(range)) ports.add(port);
  }
  const exposed = (state.image.exposedPorts ??= new Set());
  for (const port of ports) exposed.add(port);
  // ASCII only: the order of code units is the order of bytes.
  commit(
    plan,
    state,
    `EXPOSE map[${[...ports]
      .sort()
      .map((port) => `${port}:{}`)
      .join(" ")}]`,
    false,
    start,
  );
}

export function planVolume(plan: PlanContext, state: StageState, { values, start }: WordListInstruction): void {
  const volumes = values.map((value) => plan.words.expand(value, state.env, start));
  if (volumes.includes("")) {
    throw refuse(plan, start, {
      code: "empty-volume",
      message: "expected the path of a volume, found one that expands to nothing",
      hint: "Give the variable a value, or remove the path.",
    });
  }
  const known = (state.image.volumes ??= new Set());
  for (const volume of volumes) known.add(volume);
  commit(plan, state, `VOLUME [${volumes.join(" ")}]`, false, start);
}

/** HEALTHCHECK: the history shows Go's print of a struct, where an integer is a quoted character. */
export function planHealthcheck(plan: PlanContext, state: StageState, instruction: HealthcheckInstruction): void {
  const { command, options, start } = instruction;
  const test = healthTest(command);
  const { interval, timeout, startPeriod, startInterval, retries } = options;
  state.image.healthcheck = healthcheckOf(test, options);
  const durations = [interval, timeout, startPeriod, startInterval].map((ns) => quoteText(renderDuration(ns)));
  const text = [quoteTexts(test), ...durations, quoteNumber(retries)].join(" ");
  commit(plan, state, `HEALTHCHECK &{${text}}`, false, start);
}

function healthTest(command: CommandLine | undefined): readonly string[] {
  if (command === undefined) return ["NONE"];
  return command.form === "exec" ? ["CMD", ...command.argv] : ["CMD-SHELL", command.text];
}

function healthcheckOf(
  test: readonly string[],
  { interval, timeout, startPeriod, startInterval, retries }: HealthcheckInstruction["options"],
): ContainerConfig["Healthcheck"] {
  return {
    Test: test,
    ...(interval !== 0 && { Interval: interval }),
    ...(timeout !== 0 && { Timeout: timeout }),
    ...(startPeriod !== 0 && { StartPeriod: startPeriod }),
    ...(startInterval !== 0 && { StartInterval: startInterval }),
    ...(retries !== 0 && { Retries: retries }),
  };
}
