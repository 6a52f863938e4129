import type { ByteString } from "../../base/index.js";
import { malformed } from "../../base/index.js";
import { quoted } from "../problem.js";
import { cleanPath } from "./dockerignore.js";
import { compileIgnorePattern, type IgnorePattern } from "./ignore-pattern.js";
import { badPattern } from "./match-path.js";
import { decodeName } from "./path-name.js";
import { trimSpace } from "./space.js";

/** What the patterns say of one path; passed on to the paths right below it, so that parents are matched once. */
export interface IgnoreState {
  readonly ignored: boolean;
  /** For each pattern whether it matched the path or a folder above it. */
  readonly matched: readonly boolean[];
}

/** Ignore patterns made ready. Paths are relative to the context, components joined by `/`, none at either end. */
export interface IgnoreMatcher {
  /** Whether the path is ignored, by itself or through a folder above it. */
  ignores(path: ByteString): boolean;
  /** As {@link ignores}, while walking: `parent` is the state of the folder that holds `path`, undefined at the root. */
  enter(path: ByteString, parent: IgnoreState | undefined): IgnoreState;
  /** Whether nothing below the ignored folder `path` can be taken in again, so that a walk may leave it out. */
  mayPrune(path: ByteString, state: IgnoreState): boolean;
}

interface Rule {
  readonly exception: boolean;
  readonly text: string;
  readonly match: IgnorePattern;
}

/**
 * @param patterns as {@link parseDockerignore} gives them (the values of `--exclude` too): a path is ignored when the
 *   last pattern that matches it, or a folder above it, has no `!`.
 * @throws malformed `bad-pattern`, `bad-exception` for a lone `!`.
 */
export function createIgnoreMatcher(patterns: readonly string[], subject?: string): IgnoreMatcher {
  const rules = patterns.flatMap((pattern) => compileRule(pattern, subject));
  const exceptions = rules.filter((rule) => rule.exception);
  const enter = (path: ByteString, parent: IgnoreState | undefined): IgnoreState =>
    applyRules(rules, decodeName(path), parent);
  return {
    enter,
    ignores: (path) => stateOf(path, enter).ignored,
    mayPrune: (path, state) => state.ignored && exceptions.every((rule) => !mayMatchBelow(rule.text, decodeName(path))),
  };
}

function compileRule(pattern: string, subject: string | undefined): Rule[] {
  const trimmed = trimSpace(pattern);
  if (trimmed === "") return [];
  const clean = cleanPath(trimmed);
  const exception = clean.startsWith("!");
  const text = exception ? clean.slice(1) : clean;
  if (text === "") throw loneException(subject);
  const match = compileIgnorePattern(text);
  if (match === undefined) throw badPattern(text, subject);
  return [{ exception, text, match }];
}

function loneException(subject: string | undefined): Error {
  return malformed({
    code: "bad-exception",
    subject,
    message: `expected a pattern after the exclamation mark, found ${quoted("!")} alone`,
    hint: "Complete the line, or remove it.",
  });
}

function stateOf(
  path: ByteString,
  enter: (path: ByteString, parent: IgnoreState | undefined) => IgnoreState,
): IgnoreState {
  let state: IgnoreState | undefined;
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    state = enter(path.slice(0, slash), state);
  }
  return enter(path, state);
}

function applyRules(rules: readonly Rule[], path: string, parent: IgnoreState | undefined): IgnoreState {
  let ignored = false;
  const matched = rules.map((rule, index) => {
    let match = parent?.matched[index] ?? false;
    // A pattern that cannot change the answer is not tried; the state of the parents stays as BuildKit has it.
    if (!match && rule.exception === ignored) match = rule.match(path);
    if (match) ignored = !rule.exception;
    return match;
  });
  return { ignored, matched };
}

/** Whether an exception may match something below the folder. Sure only for the plain text before its first special character. */
function mayMatchBelow(exception: string, folder: string): boolean {
  const special = /[*?[\]\\^]/.exec(exception);
  const plain = special === null ? exception : exception.slice(0, special.index);
  const below = `${folder}/`;
  // An exception that names a folder above takes in what is below it too.
  return plain.startsWith(below) || below.startsWith(special === null ? `${plain}/` : plain);
}
