import type { StagewrightError } from "../base/index.js";

/** How bad a fault is: an `error` stops the packages it is in, a `warning` stops nothing. */
export type Severity = "error" | "warning";

/** A fault of the tree, for a person who will mend it. */
export interface Problem {
  /** Stable id, kebab-case: a row of docs/spec/tree.md or a page of docs/rules. */
  readonly rule: string;
  readonly severity: Severity;
  /** Relative to the tree's root, with forward slashes. */
  readonly file: string;
  /** From 1; 1 where the whole file is meant. */
  readonly line: number;
  /** From 1, in UTF-16 code units; 1 where the whole line is meant. */
  readonly column: number;
  /** What was expected and what was found. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** The line of the file and a caret below it, where the reader of the file gives them. */
  readonly excerpt?: string;
}

/** An error that blames `FILE:LINE:COLUMN`, as a problem; lines of its message after the first are the excerpt. */
export function problemOf(error: StagewrightError, file: string): Problem {
  const [, line = "1", column = "1"] = /:([0-9]+)(?::([0-9]+))?$/.exec(error.subject ?? "") ?? [];
  const [message = "", ...excerpt] = error.message.split("\n");
  return {
    rule: error.code,
    severity: "error",
    file,
    line: Number(line),
    column: Number(column),
    message,
    hint: error.hint ?? "",
    ...(excerpt.length > 0 && { excerpt: excerpt.join("\n") }),
  };
}

/** Whether any of the problems is an error. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** One line for a person: `FILE:LINE:COLUMN: SEVERITY: MESSAGE [RULE]`. */
export function renderProblem(problem: Problem): string {
  const place = `${problem.file}:${String(problem.line)}:${String(problem.column)}`;
  return `${place}: ${problem.severity}: ${problem.message} [${problem.rule}]`;
}

/** Order of problems in every report: file, line, column, rule, message; by bytes. */
export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  if (a.line !== b.line) return a.line - b.line;
  if (a.column !== b.column) return a.column - b.column;
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1;
  return a.message < b.message ? -1 : a.message > b.message ? 1 : 0;
}

/** A text from outside, cut and quoted so that it can stand in a message: no control character survives. */
export function quoted(raw: unknown): string {
  const text = typeof raw === "string" ? raw : describeValue(raw);
  const cut = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return typeof raw === "string" ? JSON.stringify(cut).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, "?") : cut;
}

function describeValue(raw: unknown): string {
  if (raw === undefined) return "nothing";
  if (Array.isArray(raw)) return `a list of ${String(raw.length)}`;
  if (typeof raw === "object") return "a table";
  return `the ${typeof raw} ${JSON.stringify(raw)}`;
}
