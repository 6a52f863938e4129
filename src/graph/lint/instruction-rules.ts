/** Rules about single instructions of a Containerfile. */
import { flagValue, quoted, targetId, type Instruction } from "../../tree/index.js";
import { targetNames } from "../tree/versions.js";
import type { LintFinding, LintRule } from "./rule.js";
import { allInstructions, historyStages } from "./stage-chain.js";

export const runNetwork: LintRule = {
  id: "run-network",
  severity: "error",
  title: "every RUN says --network=none, unless stagewright.toml allows its target a network",
  check: ({ package: pkg, file, config }) => {
    const allowed = targetNames(pkg).some((name) => config.networkAllow.includes(targetId(pkg.stage, name)));
    if (allowed) return [];
    return allInstructions(file).flatMap((instruction) => {
      if (instruction.keyword !== "RUN") return [];
      const network = flagValue(instruction, "network");
      if (network === "none") return [];
      const found = network === undefined ? "no --network flag" : `--network=${network.slice(0, 40)}`;
      const hint = "write RUN --network=none; sources come from package.toml";
      return [at(instruction, `expected RUN --network=none, found ${found}`, hint)];
    });
  },
};

export const relativeEntrypoint: LintRule = {
  id: "relative-entrypoint",
  severity: "error",
  title: "the ENTRYPOINT is an absolute path",
  check: ({ file }) =>
    allInstructions(file).flatMap((instruction) => {
      if (instruction.keyword !== "ENTRYPOINT" || instruction.command.form !== "exec") return [];
      const program = instruction.command.argv[0];
      if (program === undefined || program === "" || program.startsWith("/")) return [];
      const message = `expected an absolute path in ENTRYPOINT, found ${quoted(program)}`;
      return [at(instruction, message, "write the whole path: what PATH holds is for whoever runs the image to say")];
    }),
};

export const shellEntrypoint: LintRule = {
  id: "shell-entrypoint",
  severity: "warning",
  title: "the ENTRYPOINT is in exec form",
  check: ({ file }) =>
    allInstructions(file).flatMap((instruction) => {
      if (instruction.keyword !== "ENTRYPOINT" || instruction.command.form !== "shell") return [];
      const message = "expected ENTRYPOINT in exec form, found shell form, which runs /bin/sh -c and drops arguments";
      return [at(instruction, message, 'write ENTRYPOINT ["/path/of/program"]')];
    }),
};

export const shellArguments: LintRule = {
  id: "shell-arguments",
  severity: "error",
  title: "a shell's -c has one script, and arguments only where the script uses them",
  check: ({ file }) =>
    allInstructions(file).flatMap((instruction) => {
      const lost = lostArguments(commandOf(instruction));
      if (lost.length === 0) return [];
      const message = `expected one script after -c, found ${String(lost.length)} more, which the script never sees as commands: ${lost.map(quoted).join(" ").slice(0, 200)}`;
      return [at(instruction, message, "write the whole command as one text")];
    }),
};

function commandOf(instruction: Instruction): readonly string[] {
  switch (instruction.keyword) {
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
      return instruction.command.form === "exec" ? instruction.command.argv : [];
    default:
      return [];
  }
}

const shells: ReadonlySet<string> = new Set(["sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"]);

/** What follows the script of `sh -c SCRIPT`, when the script uses none of its parameters. */
function lostArguments(argv: readonly string[]): readonly string[] {
  const program = argv[0] ?? "";
  if (!shells.has(program.slice(program.lastIndexOf("/") + 1))) return [];
  const flag = argv.findIndex((word, index) => index > 0 && /^-[A-Za-z]*c[A-Za-z]*$/.test(word));
  // What stands before -c must be flags, or the shell runs a file and not the script.
  if (flag === -1 || argv.slice(1, flag).some((word) => !/^[-+]/.test(word))) return [];
  const script = argv[flag + 1] ?? "";
  return /\$(?:[0-9@*#]|\{[0-9@*#])/.test(script) ? [] : argv.slice(flag + 2);
}

const platformArguments = /^(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)$/;

export const builderHistory: LintRule = {
  id: "builder-history",
  severity: "warning",
  title: "the image's history does not depend on the builder's version",
  check: (input) =>
    historyStages(input)
      .flatMap((stage) => stage.instructions)
      .flatMap((instruction) => {
        const found = builderDependent(instruction);
        if (found === undefined) return [];
        const message = `${found} is written into the image's history in a form that differs between versions of BuildKit`;
        return [at(instruction, message, "use it in a stage whose files are copied into the last one")];
      }),
};

function builderDependent(instruction: Instruction): string | undefined {
  if (instruction.keyword === "EXPOSE") return "EXPOSE";
  if (instruction.keyword !== "ARG") return undefined;
  const arg = instruction.args.find(({ key }) => platformArguments.test(key));
  return arg === undefined ? undefined : `ARG ${arg.key}`;
}

// What BuildKit gives or reads by itself, whether the file's author does or not.
const givenArguments =
  /^(?:(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|TARGETSTAGE|SOURCE_DATE_EPOCH|BUILDKIT_.*|(?:HTTPS?|FTP|NO|ALL)_PROXY)$/i;

export const argumentValue: LintRule = {
  id: "argument-value",
  severity: "warning",
  title: "every ARG has a value",
  check: ({ file, argumentNames }) => {
    const defaults = new Set(
      file.globalArgs.flatMap(({ args }) => args.flatMap(({ key, value }) => (value === undefined ? [] : [key]))),
    );
    return [...file.globalArgs, ...allInstructions(file)].flatMap((instruction) => {
      if (instruction.keyword !== "ARG") return [];
      const empty = instruction.args.filter(
        ({ key, value }) =>
          value === undefined && !argumentNames.has(key) && !defaults.has(key) && !givenArguments.test(key),
      );
      return empty.map(({ key }) => {
        const message = `ARG ${key} has no default, and package.toml gives no such argument`;
        return at(instruction, message, hintFor(key));
      });
    });
  },
};

function hintFor(key: string): string {
  return /^VERSION(?:_|$)/.test(key)
    ? "give the package version or version_from"
    : "give it a default, a source with its own version, or take it away";
}

function at(instruction: Instruction, message: string, hint: string): LintFinding {
  return { in: "Containerfile", place: instruction.start, message, hint };
}
