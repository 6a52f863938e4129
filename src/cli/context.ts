import type { Command } from "commander";

import type { Terminal } from "./terminal.js";

/** Options that every command has. */
export interface CommonOptions {
  readonly tree: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** What a command gets beside its own words and options. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly abort: AbortSignal;
  /** Every command of the program with its options, for completion. */
  readonly program: Command;
}
