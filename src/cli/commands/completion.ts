import { malformed } from "../../base/index.js";
import type { CommandContext } from "../context.js";

interface CommandWords {
  readonly name: string;
  readonly about: string;
  readonly options: readonly string[];
}

const hidden = new Set(["help", "completion"]);

/** Prints a script for the shell. Targets are completed by asking `graph` of the tree in the present folder. */
export async function run(words: readonly string[], _options: object, context: CommandContext): Promise<number> {
  const commands = context.program.commands
    .filter((command) => !hidden.has(command.name()))
    .map((command) => ({
      name: command.name(),
      about: command.description(),
      options: [...command.options.flatMap((option) => (option.long === undefined ? [] : [option.long])), "--help"],
    }));
  context.terminal.print(render(words[0] ?? "", commands));
  return await Promise.resolve(0);
}

function render(shell: string, commands: readonly CommandWords[]): string {
  if (shell === "bash") return bash(commands);
  if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
  if (shell === "fish") return fish(commands);
  throw malformed({ code: "unknown-shell", message: "expected bash, zsh or fish", subject: shell });
}

// Bash expands the words that it is given: what the report says of a hostile tree's faults must never be among them.
// Without single quotes, for fish has the whole in such.
const targetNames = 'stagewright graph --table 2>/dev/null | LC_ALL=C grep -oE "^[a-z]+-[a-z0-9._-]+"';

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(" ")}" ;;`);
  return [
    "_stagewright() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" words',
    `  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$word")); return; fi`,
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    "  esac",
    `  case "$word" in -*) ;; *) words="$(${targetNames})" ;; esac`,
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -F _stagewright stagewright",
  ].join("\n");
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, about, options }) => [
    `complete -c stagewright -f -n __fish_use_subcommand -a ${name} -d '${about.replaceAll("'", "")}'`,
    ...options.map(
      (option) => `complete -c stagewright -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
    ),
  ]);
  return [...lines, `complete -c stagewright -f -n 'not __fish_use_subcommand' -a '(${targetNames})'`].join("\n");
}
