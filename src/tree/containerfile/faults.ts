import { limits, malformed, type StagewrightError } from "../../base/index.js";
import type { Position } from "./ast.js";
import { maskUnprintable } from "./printable.js";

/** What is wrong at one place of the file. */
export interface Fault {
  readonly code: string;
  readonly position: Position;
  /** One line: what was expected, what was found. */
  readonly message: string;
  readonly hint: string;
}

const excerptWidth = 120;

/**
 * The line of `text` that holds `position`, with its number, and below it a caret under the column. Long lines are cut
 * around the column; characters that a terminal would act on are masked.
 */
export function renderCaret(text: string, position: Position): string {
  const from = lineStart(text, position.line);
  const newline = text.indexOf("\n", from);
  const line = text.slice(from, newline < 0 ? text.length : newline);
  const caret = Math.min(position.column - 1, line.length);
  const start = Math.max(0, caret - excerptWidth / 2);
  const excerpt = maskUnprintable(
    line
      .slice(start, start + excerptWidth)
      .replace(/\r$/, "")
      .replaceAll("\t", " "),
  );
  const label = ` ${position.line} | `;
  return `${label}${excerpt}\n${" ".repeat(label.length - 2)}| ${" ".repeat(caret - start)}^`;
}

function lineStart(text: string, line: number): number {
  let at = 0;
  for (let number = 1; number < line; number++) {
    const newline = text.indexOf("\n", at);
    if (newline < 0) return text.length;
    at = newline + 1;
  }
  return at;
}

/** Collects the faults of one file, up to a limit, so that one run names them all and a hostile file does not flood. */
export class FaultList {
  readonly #faults: Fault[] = [];
  readonly #fileName: string;
  readonly #text: string;

  constructor(fileName: string, text: string) {
    this.#fileName = fileName;
    this.#text = text;
  }

  report(fault: Fault): void {
    if (!this.full) this.#faults.push(fault);
  }

  /** Whether reading on is no use. */
  get full(): boolean {
    return this.#faults.length >= limits.containerfileFaults;
  }

  /** The faults in the order of their places. */
  errors(): StagewrightError[] {
    const ordered = [...this.#faults].sort(
      (a, b) => a.position.line - b.position.line || a.position.column - b.position.column,
    );
    return ordered.map((fault) => faultError(this.#fileName, this.#text, fault));
  }
}

/** A fault as the error that people and programs see; its subject is `file:line:column`. */
export function faultError(fileName: string, text: string, fault: Fault): StagewrightError {
  const { line, column } = fault.position;
  return malformed({
    code: fault.code,
    subject: `${fileName}:${line}:${column}`,
    message: `${fault.message}\n${renderCaret(text, fault.position)}`,
    hint: fault.hint,
  });
}
