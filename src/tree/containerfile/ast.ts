/**
 * The syntax of a Containerfile after parsing and before any substitution. Words are kept as written (quotes and
 * variables included), since BuildKit expands them only when it dispatches the instruction, with the ARG and ENV known
 * there. Terms are those of the Dockerfile reference.
 */

/** A place in the file: both from 1; columns count UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Flag {
  /** Without the two dashes. */
  readonly name: string;
  /** Undefined for a flag without `=`. Not yet expanded. */
  readonly value: string | undefined;
  readonly position: Position;
}

export interface Heredoc {
  /** The delimiter word, without quotes. */
  readonly name: string;
  /** The body as it stands in the file, its last newline (and any CR) included: what a shell is given to read. */
  readonly body: string;
  /** The body, its last newline included; leading tabs already taken away when {@link stripTabs}. */
  readonly content: string;
  /** Whether variables in the body are expanded: false when any part of the delimiter was quoted. */
  readonly expand: boolean;
  /** `<<-`. */
  readonly stripTabs: boolean;
  readonly fileDescriptor: number;
}

interface InstructionCommon {
  readonly start: Position;
  /**
   * The instruction as BuildKit's parser holds it: continued lines joined, comments between them dropped, blanks at both
   * ends trimmed, heredoc bodies not included.
   */
  readonly text: string;
  /** Last line, heredoc bodies included. */
  readonly endLine: number;
  readonly flags: readonly Flag[];
}

/** Arguments of RUN, CMD, ENTRYPOINT, SHELL: a JSON array (exec form) or text for a shell. */
export type CommandLine =
  | { readonly form: "exec"; readonly argv: readonly string[] }
  /** Continuations joined and comment lines between them dropped, as BuildKit's parser does; blanks at both ends trimmed. */
  | { readonly form: "shell"; readonly text: string };

export interface KeyValue {
  readonly key: string;
  /** As written, quotes included. */
  readonly value: string;
}

export interface FromInstruction extends InstructionCommon {
  readonly keyword: "FROM";
  /** As written: variables are not expanded. */
  readonly image: string;
  readonly imagePosition: Position;
  /** In lower case, as BuildKit holds it. */
  readonly stage: string | undefined;
  /** Value of `--platform`, not expanded. */
  readonly platform: string | undefined;
}
export interface ArgInstruction extends InstructionCommon {
  readonly keyword: "ARG";
  readonly args: readonly { readonly key: string; readonly value: string | undefined }[];
}
export interface EnvInstruction extends InstructionCommon {
  readonly keyword: "ENV";
  readonly pairs: readonly KeyValue[];
}
export interface LabelInstruction extends InstructionCommon {
  readonly keyword: "LABEL";
  readonly pairs: readonly KeyValue[];
}
export interface RunInstruction extends InstructionCommon {
  readonly keyword: "RUN";
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
}
export interface CopyInstruction extends InstructionCommon {
  readonly keyword: "COPY" | "ADD";
  /** Paths as written; heredocs stand in {@link heredocs} and not here. */
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
}
export interface CommandInstruction extends InstructionCommon {
  readonly keyword: "CMD" | "ENTRYPOINT";
  readonly command: CommandLine;
}
export interface ShellInstruction extends InstructionCommon {
  readonly keyword: "SHELL";
  readonly argv: readonly string[];
}
/** Flags of HEALTHCHECK: nanoseconds, exact; 0 where the flag is missing. */
export interface HealthcheckOptions {
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}
export interface HealthcheckInstruction extends InstructionCommon {
  readonly keyword: "HEALTHCHECK";
  /** Undefined for NONE. */
  readonly command: CommandLine | undefined;
  readonly options: HealthcheckOptions;
}
export interface WordInstruction extends InstructionCommon {
  readonly keyword: "WORKDIR" | "USER" | "STOPSIGNAL" | "MAINTAINER";
  readonly value: string;
}
export interface WordListInstruction extends InstructionCommon {
  readonly keyword: "EXPOSE" | "VOLUME";
  readonly values: readonly string[];
}

export type Instruction =
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CopyInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | WordInstruction
  | WordListInstruction;

export interface Stage {
  /** From 0. */
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** Parser directives at the head of the file. */
export interface Directives {
  readonly syntax: string | undefined;
  readonly check: string | undefined;
  readonly escape: "\\" | "`";
}

export interface Containerfile {
  readonly directives: Directives;
  /** ARG instructions before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
