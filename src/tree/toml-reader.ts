import { isUtf8 } from "node:buffer";

import { parse, TomlError } from "smol-toml";

import { limits } from "../base/index.js";

import { nearestNames, didYouMean } from "./names.js";
import { quoted, type Problem, type Severity } from "./problem.js";
import { scanTomlLines, type TomlLines } from "./toml-lines.js";

/** A table of a TOML file whose values nobody has looked at yet. */
export type RawTable = Readonly<Record<string, unknown>>;

/** Keys from the file's root to a value; a list's items are counted from `0`. */
export type TomlPath = readonly string[];

/** What one fault says; the reader adds the file and the line. */
export interface Fault {
  readonly rule: string;
  readonly severity?: Severity;
  readonly message: string;
  readonly hint: string;
}

/**
 * Reads the values of one TOML file and gathers every fault on the way, each with its line. No method throws: a value
 * of the wrong kind is a fault and comes back as undefined.
 */
export class TomlReader {
  readonly problems: Problem[] = [];
  private scanned: TomlLines | undefined;

  private constructor(
    private readonly file: string,
    private readonly text: string,
    /** The root table; empty when the file is no TOML, which is a fault by then. */
    readonly root: RawTable,
    private readonly isPlain: boolean,
  ) {}

  /** Parses a file. One that is too large, not UTF-8 or not TOML gives an empty root and a fault. */
  static read(raw: Uint8Array | string, file: string): TomlReader {
    if (raw.length > limits.tomlSize) {
      const found = `expected at most ${String(limits.tomlSize)} bytes, found ${String(raw.length)}`;
      return TomlReader.broken(file, { rule: "file-too-large", message: found, hint: "shorten the file" });
    }
    const text = typeof raw === "string" ? raw : decode(raw);
    if (text === undefined) {
      const hint = "save the file as UTF-8";
      return TomlReader.broken(file, { rule: "bad-toml", message: "expected UTF-8 text, found other bytes", hint });
    }
    try {
      return new TomlReader(file, text, parse(text, { maxDepth: 32 }), isPlainText(text));
    } catch (thrown) {
      return TomlReader.syntaxError(file, thrown);
    }
  }

  private static syntaxError(file: string, thrown: unknown): TomlReader {
    const place = thrown instanceof TomlError ? { line: thrown.line, column: thrown.column } : { line: 1, column: 1 };
    const raw = thrown instanceof Error ? (thrown.message.split("\n", 1)[0] ?? "") : String(thrown);
    const message = `expected TOML: ${raw.replace(/^Invalid TOML document: /, "")}`;
    return TomlReader.broken(file, { rule: "bad-toml", message, hint: "mend the syntax at this place" }, place);
  }

  private static broken(file: string, fault: Fault, place = { line: 1, column: 1 }): TomlReader {
    const reader = new TomlReader(file, "", {}, true);
    reader.problems.push({ severity: "error", ...fault, file, ...place });
    return reader;
  }

  /** Line of the value at a path, found only when a fault needs it. */
  lineOf(path: TomlPath): number {
    this.scanned ??= scanTomlLines(this.text);
    return this.scanned.lineOf(path);
  }

  fault(path: TomlPath, fault: Fault): void {
    this.problems.push({ severity: "error", ...fault, file: this.file, line: this.lineOf(path), column: 1 });
  }

  /** A fault for each key that is not among `known`. */
  refuseUnknown(table: RawTable, path: TomlPath, known: readonly string[]): void {
    for (const key of Object.keys(table)) {
      if (known.includes(key)) continue;
      const guess = didYouMean(nearestNames(key, known));
      const place = path.length === 0 ? "at the top" : `in [${path.map(shownKey).join(".")}]`;
      this.fault([...path, key], {
        rule: "unknown-key",
        message: `unknown key ${quoted(key)} ${place}; known: ${known.join(", ")}`,
        hint: guess === "" ? "take it away" : guess,
      });
    }
  }

  /** A table, or undefined when it is missing or (a fault) something else. */
  table(parent: RawTable, path: TomlPath, key: string): RawTable | undefined {
    const value = own(parent, key);
    if (value === undefined) return undefined;
    if (isRawTable(value)) return value;
    this.wrongKind([...path, key], "a table", value);
    return undefined;
  }

  /** A text of one line, or undefined when it is missing or (a fault) something else. */
  oneLine(parent: RawTable, path: TomlPath, key: string): string | undefined {
    const value = own(parent, key);
    if (value === undefined) return undefined;
    if (typeof value !== "string") this.wrongKind([...path, key], "a text", value);
    else if (this.hasControl(value)) this.controlCharacter([...path, key], value);
    else return value;
    return undefined;
  }

  /** A list of texts, or undefined when it is missing or (a fault) something else. Bad items are faults and left out. */
  texts(parent: RawTable, path: TomlPath, key: string): readonly string[] | undefined {
    const value = own(parent, key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) {
      this.wrongKind([...path, key], "a list of texts", value);
      return undefined;
    }
    return value.filter((item: unknown, index): item is string => {
      if (typeof item !== "string") this.wrongKind([...path, key, String(index)], "a text", item);
      else if (this.hasControl(item)) this.controlCharacter([...path, key, String(index)], item);
      else return true;
      return false;
    });
  }

  wrongKind(path: TomlPath, expected: string, found: unknown): void {
    const message = `expected ${expected} for ${shownPath(path)}, found ${quoted(found)}`;
    this.fault(path, { rule: "wrong-kind", message, hint: `write ${expected}` });
  }

  private hasControl(text: string): boolean {
    return !this.isPlain && /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text);
  }

  private controlCharacter(path: TomlPath, found: string): void {
    const message = `expected one line without control characters for ${shownPath(path)}, found ${quoted(found)}`;
    this.fault(path, { rule: "wrong-kind", message, hint: "write it on one line" });
  }
}

export function isRawTable(value: unknown): value is RawTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function own(parent: RawTable, key: string): unknown {
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function decode(raw: Uint8Array): string | undefined {
  return isUtf8(raw) ? Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("utf8") : undefined;
}

/** Whether no value can hold a control character: the text has neither escapes nor long strings nor such characters. */
function isPlainText(text: string): boolean {
  return !/[\\\t\u007f-\u009f\u2028\u2029]|"""|'''/.test(text);
}

function shownKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

/** `sources.gcc.mirrors[1]` */
export function shownPath(path: TomlPath): string {
  return path
    .map(shownKey)
    .join(".")
    .replace(/\.([0-9]+)(?=\.|$)/g, "[$1]");
}
