import { malformed, type StagewrightError } from "../../base/index.js";
import { renderCaret, type Position } from "../../tree/index.js";

/** A Containerfile as messages name and show it. */
export interface SourceFile {
  readonly fileName: string;
  readonly text: string;
}

export interface RefusalDetails {
  readonly code: string;
  /** One line: what was expected, what was found. */
  readonly message: string;
  readonly hint: string;
  readonly cause?: unknown;
}

/** The error for what cannot be planned, in the form of the parser's: `FILE:LINE:COLUMN`, the line and a caret. */
export function refusal(source: SourceFile, position: Position, details: RefusalDetails): StagewrightError {
  return malformed({
    ...details,
    subject: `${source.fileName}:${position.line}:${position.column}`,
    message: `${details.message}\n${renderCaret(source.text, position)}`,
  });
}
