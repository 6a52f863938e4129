/**
 * The four ways in which work can end without its result. They decide the exit status and are never mixed:
 *
 * - `malformed`: the input, or the way the command was used, is wrong (exit 2);
 * - `rejected`: the input is well formed and the answer is no (exit 1);
 * - `untrusted`: the proof that was demanded is missing or false (exit 1);
 * - `unavailable`: the answer could not be found out (exit 3).
 */
export type ErrorKind = "malformed" | "rejected" | "untrusted" | "unavailable";

/** The parts of an error. `subject` is the object that is blamed: a path with line and column, a digest, a commit. */
export interface ErrorDetails {
  /** Stable, kebab-case, for programs: `hash-mismatch`. */
  readonly code: string;
  /** What was expected and what was found. */
  readonly message: string;
  readonly subject?: string | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The only error class that is thrown on purpose. Anything else that is thrown is a defect. */
export class StagewrightError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly subject: string | undefined;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "StagewrightError";
    this.kind = kind;
    this.code = details.code;
    this.subject = details.subject;
    this.hint = details.hint;
  }
}

export function malformed(details: ErrorDetails): StagewrightError {
  return new StagewrightError("malformed", details);
}

export function rejected(details: ErrorDetails): StagewrightError {
  return new StagewrightError("rejected", details);
}

export function untrusted(details: ErrorDetails): StagewrightError {
  return new StagewrightError("untrusted", details);
}

export function unavailable(details: ErrorDetails): StagewrightError {
  return new StagewrightError("unavailable", details);
}

/** The system's error code (`ENOENT`) of something that was thrown, if it carries one. Our own errors have none. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || thrown instanceof StagewrightError || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
