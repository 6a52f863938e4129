import type { Flag, Position } from "./ast.js";
import type { FaultList } from "./faults.js";
import { positionAt, type LineReader, type LogicalLine } from "./lines.js";

/** One instruction while it is parsed: its line, the lines that follow it (for heredocs), and where faults go. */
export class InstructionContext {
  readonly keyword: string;
  readonly line: LogicalLine;
  readonly escape: string;
  readonly reader: LineReader;
  readonly #faults: FaultList;

  constructor(keyword: string, line: LogicalLine, escape: string, reader: LineReader, faults: FaultList) {
    this.keyword = keyword;
    this.line = line;
    this.escape = escape;
    this.reader = reader;
    this.#faults = faults;
  }

  positionAt(at: number): Position {
    return positionAt(this.line, at);
  }

  /** Whether so many faults are known that more would not be kept. */
  get isFull(): boolean {
    return this.#faults.full;
  }

  /** Reports a fault at index `at` of the joined line. */
  fault(at: number, code: string, message: string, hint: string): void {
    this.faultAt(this.positionAt(at), code, message, hint);
  }

  faultAt(position: Position, code: string, message: string, hint: string): void {
    this.#faults.report({ code, position, message, hint });
  }
}

/** What every instruction has, and the arguments that are still to be parsed. */
export interface Arguments {
  readonly flags: readonly Flag[];
  readonly rest: string;
  readonly restAt: number;
}
