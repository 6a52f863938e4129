import { limits } from "../../base/index.js";
import type { Position } from "./ast.js";
import type { FaultList } from "./faults.js";
import { skipSpace } from "./space.js";

/** Where a stretch of a joined line comes from. */
interface Segment {
  /** Index in {@link LogicalLine.text} at which the stretch begins. */
  readonly at: number;
  readonly position: Position;
}

/** An instruction's line with its continuation lines. */
export interface LogicalLine {
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly endLine: number;
}

/** Place in the file of the character at index `at` of a joined line. */
export function positionAt(line: LogicalLine, at: number): Position {
  let low = 0;
  let high = line.segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((line.segments[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const segment = line.segments[low];
  if (segment === undefined) return { line: line.endLine, column: 1 };
  return { line: segment.position.line, column: segment.position.column + at - segment.at };
}

interface PhysicalLine {
  readonly number: number;
  /** Indexes in the whole text. */
  readonly start: number;
  /** Without the CR and LF at the end. */
  readonly end: number;
  /** With them. */
  readonly next: number;
}

/** Reads a Containerfile line by line, and joins what the escape character continues, as BuildKit's parser does. */
export class LineReader {
  readonly #text: string;
  readonly #escape: number;
  readonly #faults: FaultList;
  #at = 0;
  #number = 0;

  constructor(text: string, escape: string, faults: FaultList) {
    this.#text = text;
    this.#escape = escape.charCodeAt(0);
    this.#faults = faults;
  }

  /** Number of the line that was read last. */
  get lineNumber(): number {
    return this.#number;
  }

  /** The next instruction; comments and blank lines before it are passed over. */
  next(): LogicalLine | undefined {
    for (let line = this.#read(); line !== undefined; line = this.#read()) {
      const start = skipSpace(this.#text, line.start, line.end);
      if (start >= line.end || this.#text.charAt(start) === "#") continue;
      return this.#join(line, start);
    }
    return undefined;
  }

  /**
   * The lines up to the one that is `terminator`, which is passed over, or undefined when there is none. Leading tabs of
   * the terminator's line are ignored when `stripTabs`.
   */
  readBody(terminator: string, stripTabs: boolean): string | undefined {
    const from = this.#at;
    for (let line = this.#read(); line !== undefined; line = this.#read()) {
      let start = line.start;
      while (stripTabs && this.#text.charAt(start) === "\t") start++;
      const length = Math.max(0, line.end - start);
      if (length === terminator.length && this.#text.startsWith(terminator, start)) {
        return this.#text.slice(from, line.start);
      }
    }
    return undefined;
  }

  #join(first: PhysicalLine, start: number): LogicalLine {
    const end = this.#contentEnd(first, start);
    const segments: Segment[] = [{ at: 0, position: { line: first.number, column: start - first.start + 1 } }];
    const joined = this.#text.slice(start, end < 0 ? first.end : end);
    if (end < 0) return { text: joined, segments, endLine: first.number };
    const pieces = [joined];
    let length = joined.length;
    for (let line = this.#read(); line !== undefined; line = this.#read()) {
      const content = skipSpace(this.#text, line.start, line.end);
      if (content >= line.end || this.#text.charAt(content) === "#") continue;
      const cut = this.#contentEnd(line, line.start);
      const piece = this.#text.slice(line.start, cut < 0 ? line.end : cut);
      segments.push({ at: length, position: { line: line.number, column: 1 } });
      pieces.push(piece);
      length += piece.length;
      if (cut < 0) break;
    }
    return { text: pieces.join(""), segments, endLine: this.#number };
  }

  /** Index of the escape character that continues the line, or -1. One that is itself escaped does not. */
  #contentEnd(line: PhysicalLine, start: number): number {
    let at = line.end - 1;
    while (at >= start && (this.#text.charCodeAt(at) === 0x20 || this.#text.charCodeAt(at) === 0x09)) at--;
    if (at < start || this.#text.charCodeAt(at) !== this.#escape) return -1;
    return at > start && this.#text.charCodeAt(at - 1) === this.#escape ? -1 : at;
  }

  #read(): PhysicalLine | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const start = this.#at;
    const newline = this.#text.indexOf("\n", start);
    const next = newline < 0 ? this.#text.length : newline + 1;
    let end = newline < 0 ? next : newline;
    while (end > start && this.#text.charCodeAt(end - 1) === 0x0d) end--;
    this.#at = next;
    this.#number++;
    this.#checkLength(start, next);
    return { number: this.#number, start, end, next };
  }

  #checkLength(start: number, next: number): void {
    // A UTF-16 unit is at most three bytes of UTF-8: most lines need no count.
    if ((next - start) * 3 <= limits.containerfileLine) return;
    const bytes = Buffer.byteLength(this.#text.slice(start, next).replace(/\n$/, ""));
    if (bytes <= limits.containerfileLine) return;
    this.#faults.report({
      code: "line-too-long",
      position: { line: this.#number, column: 1 },
      message: `expected lines of at most ${limits.containerfileLine} bytes, found one of ${bytes}`,
      hint: "Continue the instruction on further lines, or copy the data from a file: BuildKit refuses such a line too.",
    });
  }
}

/** Leading tabs of every line taken away: `<<-`. */
export function stripLeadingTabs(body: string): string {
  return body.replace(/(^|\n)\t+/g, "$1");
}
