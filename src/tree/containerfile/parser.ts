import { isUtf8 } from "node:buffer";

import { limits, malformed, type StagewrightError } from "../../base/index.js";
import { quoted } from "../problem.js";
import type { ArgInstruction, Containerfile, FromInstruction, Instruction, Stage } from "./ast.js";
import { InstructionContext } from "./context.js";
import { readDirectives } from "./directives.js";
import { FaultList, faultError } from "./faults.js";
import { checkFlags } from "./flags.js";
import { keywords, parseInstruction } from "./instruction.js";
import { LineReader, type LogicalLine, positionAt } from "./lines.js";
import { splitInstruction, type InstructionParts } from "./split-instruction.js";
import { suggestion } from "./suggestion.js";

/** A Containerfile with everything that is wrong with it; `file` is there when nothing is. */
export interface CheckedContainerfile {
  readonly file: Containerfile | undefined;
  /**
   * In the order of their places, at most {@link limits.containerfileFaults}. Subject: `file:line:column`. The message's
   * first line says what was expected and found; the lines after it show the line of the file and a caret.
   */
  readonly problems: readonly StagewrightError[];
}

/**
 * Parses a Containerfile (the Dockerfile reference as BuildKit reads it; `docs/spec/containerfile.md`) and collects all
 * its faults. Nothing is expanded. Never throws.
 */
export function checkContainerfile(raw: Uint8Array | string, fileName: string): CheckedContainerfile {
  const decoded = decode(raw, fileName);
  if (typeof decoded !== "string") return { file: undefined, problems: [decoded] };
  const text = decoded.replace(/^\ufeff/, "");
  const faults = new FaultList(fileName, text);
  const file = new FileParser(text, faults).parse();
  const problems = faults.errors();
  return { file: problems.length === 0 ? file : undefined, problems };
}

/** @throws malformed: the first problem that {@link checkContainerfile} finds. */
export function parseContainerfile(raw: Uint8Array | string, fileName: string): Containerfile {
  const { file, problems } = checkContainerfile(raw, fileName);
  const [first] = problems;
  if (first !== undefined) throw first;
  if (file === undefined) throw new Error("a file without problems has a value");
  return file;
}

/** The text of a file, or what forbids to read it as text at all. */
function decode(raw: Uint8Array | string, fileName: string): string | StagewrightError {
  if (raw.length > limits.containerfileSize) {
    return malformed({
      code: "containerfile-too-large",
      subject: fileName,
      message: `expected at most ${limits.containerfileSize} bytes, found ${raw.length}`,
      hint: "Put data into files of their own, and COPY them.",
    });
  }
  if (typeof raw !== "string" && !isUtf8(raw)) return notUtf8(raw, fileName);
  const text = typeof raw === "string" ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString();
  const nul = text.indexOf("\0");
  if (nul < 0) return text;
  return faultError(fileName, text, {
    code: "nul-byte",
    position: placeOf(text, nul),
    message: "expected text, found a NUL byte",
    hint: "Save the file as UTF-8 text.",
  });
}

function notUtf8(raw: Uint8Array, fileName: string): StagewrightError {
  const text = Buffer.from(raw).toString();
  return faultError(fileName, text, {
    code: "not-utf8",
    position: placeOf(text, Math.max(0, text.indexOf("\ufffd"))),
    message: "expected UTF-8 text, found other bytes",
    hint: "Save the file as UTF-8 text.",
  });
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { line, column: at - before.lastIndexOf("\n") };
}

/** Reads instruction after instruction, and sorts them into global arguments and stages. */
class FileParser {
  readonly #text: string;
  readonly #faults: FaultList;
  readonly #globalArgs: ArgInstruction[] = [];
  readonly #stages: { from: FromInstruction; instructions: Instruction[] }[] = [];
  /** A FROM was seen, be it a faulty one: what follows belongs to it. */
  #hasFrom = false;
  #count = 0;

  constructor(text: string, faults: FaultList) {
    this.#text = text;
    this.#faults = faults;
  }

  parse(): Containerfile {
    const directives = readDirectives(this.#text, this.#faults);
    const reader = new LineReader(this.#text, directives.escape, this.#faults);
    for (let line = reader.next(); line !== undefined && !this.#faults.full; line = reader.next()) {
      if (++this.#count > limits.containerfileInstructions) {
        this.#reportTooMany(line);
        break;
      }
      this.#readLine(line, directives.escape, reader);
    }
    if (!this.#hasFrom && this.#count <= limits.containerfileInstructions) this.#reportNoFrom();
    const stages: Stage[] = this.#stages.map((stage, index) => ({ index, ...stage }));
    return { directives, globalArgs: this.#globalArgs, stages };
  }

  #readLine(line: LogicalLine, escape: string, reader: LineReader): void {
    const parts = splitInstruction(line.text);
    // A lone escape character before the end of the file, or before blank lines only.
    if (parts.keyword === "" && parts.rest === "")
      return this.#reportKeyword(new InstructionContext("", line, escape, reader, this.#faults), parts);
    const keyword = keywords.has(parts.keyword) ? parts.keyword : parts.keyword.toUpperCase();
    const context = new InstructionContext(keyword, line, escape, reader, this.#faults);
    if (!keywords.has(keyword)) return this.#reportKeyword(context, parts);
    if (keyword === "FROM") this.#hasFrom = true;
    else if (!this.#hasFrom && keyword !== "ARG") reportBeforeFrom(context, parts);
    const flags = ignoresFlags(keyword, parts.rest) ? [] : checkFlags(context, parts.flags);
    const instruction = parseInstruction(context, { flags, rest: parts.rest, restAt: parts.restAt });
    if (instruction !== undefined) this.#add(instruction);
  }

  #add(instruction: Instruction | FromInstruction): void {
    if (instruction.keyword === "FROM") this.#stages.push({ from: instruction, instructions: [] });
    else if (this.#hasFrom) this.#stages.at(-1)?.instructions.push(instruction);
    else if (instruction.keyword === "ARG") this.#globalArgs.push(instruction);
  }

  #reportKeyword(context: InstructionContext, parts: InstructionParts): void {
    if (context.keyword === "ONBUILD") {
      context.fault(
        parts.keywordAt,
        "onbuild",
        "expected no ONBUILD, found one: what it does depends on images that are built later, so no digest can vouch for it",
        "Write the instruction into the Containerfiles that need it.",
      );
      return;
    }
    const found = parts.keyword === "" ? "an escape character that continues nothing" : quoted(parts.keyword);
    context.fault(
      parts.keywordAt,
      "unknown-instruction",
      `expected an instruction, found ${found}${suggestion(context.keyword, [...keywords])}`,
      "A line that belongs to the instruction before it needs an escape character at the end of the line above; a line of a heredoc needs a delimiter that BuildKit sees (<<EOF as a word of its own, quotes on the line closed).",
    );
  }

  #reportTooMany(line: LogicalLine): void {
    this.#faults.report({
      code: "too-many-instructions",
      position: positionAt(line, 0),
      message: `expected at most ${limits.containerfileInstructions} instructions, found more`,
      hint: "Split the file.",
    });
  }

  #reportNoFrom(): void {
    this.#faults.report({
      code: "no-stage",
      position: { line: 1, column: 1 },
      message: "expected at least one FROM, found none",
      hint: "Begin with FROM scratch or FROM IMAGE.",
    });
  }
}

function reportBeforeFrom(context: InstructionContext, parts: InstructionParts): void {
  context.fault(
    parts.keywordAt,
    "instruction-before-from",
    `expected FROM or ARG, found ${context.keyword}`,
    "Only ARG may stand before the first FROM.",
  );
}

/** BuildKit does not look at the flags of these, whatever they are. */
function ignoresFlags(keyword: string, rest: string): boolean {
  return keyword === "STOPSIGNAL" || keyword === "ARG" || (keyword === "HEALTHCHECK" && /^none\s*$/i.test(rest));
}
