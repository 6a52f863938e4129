import { StagewrightError, messageOf } from "../base/index.js";
import type { ErrorKind } from "../base/index.js";
import { thisTool } from "../app/index.js";
import type { Terminal } from "./terminal.js";
import { shown } from "./terminal.js";

const statusOf: Readonly<Record<ErrorKind, number>> = { malformed: 2, rejected: 1, untrusted: 1, unavailable: 3 };
/** A defect of the program is no answer about the tree. */
const defectStatus = 3;

/** Prints an error for a person, or as the report of a program, and gives the exit status. */
export function reportError(thrown: unknown, terminal: Terminal, json: boolean): number {
  if (!(thrown instanceof StagewrightError)) {
    const text = thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : messageOf(thrown);
    terminal.note(`stagewright: this is a defect of the program; please report it with what follows\n${text}`);
    return defectStatus;
  }
  if (json) {
    const { kind, code, message, subject, hint } = thrown;
    terminal.printJson({ tool: thisTool, reasons: [message], error: { kind, code, message, subject, hint } });
  }
  terminal.note(errorText(thrown, terminal));
  return statusOf[thrown.kind];
}

/** `subject: message`, and what to do on a line of its own. */
export function errorText(error: StagewrightError, terminal: Terminal): string {
  const subject = error.subject === undefined ? "" : `${shown(error.subject)}: `;
  const hint = error.hint === undefined ? "" : `\n    ${shown(error.hint)}`;
  return `${terminal.paint("red", "error")}: ${subject}${shown(error.message)}${hint}`;
}
