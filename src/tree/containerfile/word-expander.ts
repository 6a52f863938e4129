import { limits, malformed, type StagewrightError } from "../../base/index.js";
import { quoted } from "../problem.js";
import type { ExpansionBudget } from "./expansion-budget.js";
import {
  parseShellPattern,
  removePrefix,
  removeSuffix,
  replaceAll,
  replaceFirst,
  type ShellPattern,
} from "./shell-pattern.js";
import { WordCollector } from "./word-collector.js";

export interface WordExpanderOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape: string;
  readonly budget: ExpansionBudget;
  readonly subject: string | undefined;
  /** Quotes are ordinary characters. */
  readonly plainQuotes?: boolean;
  /** Quotes work, and stay in the result. */
  readonly keepQuotes?: boolean;
  /** Escape characters work, and stay in the result. */
  readonly keepEscapes?: boolean;
  /** `$X` of a variable that is not set stays as it is. */
  readonly keepUnset?: boolean;
}

const nameCharacter = /[\p{L}\p{Nd}_]/u;
const digit = /\p{Nd}/u;
const specialParameters = "@*#?-$!";

/** A reader of one word, with BuildKit's rules of quoting and substitution; it is used once. */
export class WordExpander {
  readonly #text: string;
  readonly #options: WordExpanderOptions;
  #at = 0;
  #depth = 0;
  #keepEscapes: boolean;

  constructor(text: string, options: WordExpanderOptions) {
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
    this.#options = options;
    this.#keepEscapes = options.keepEscapes ?? false;
  }

  /** The expanded text. */
  text(): string {
    return this.#argument("", this.#keepEscapes);
  }

  /** The words of the expanded text. */
  words(): readonly string[] {
    const collector = new WordCollector(true);
    this.#readUntil("", collector);
    return collector.finish().words;
  }

  /** Reads up to `stop`, which is passed over, or to the end where `stop` is empty. */
  #readUntil(stop: string, into: WordCollector): void {
    const { escape, plainQuotes } = this.#options;
    while (this.#at < this.#text.length) {
      const run = this.#plainRun(stop);
      if (run > 0) {
        into.add(this.#take(run));
        continue;
      }
      const character = this.#next();
      if (character === stop) return;
      if (character === "$") into.add(this.#dollar());
      else if (character === "'" && plainQuotes !== true) into.addRaw(this.#singleQuoted());
      else if (character === '"' && plainQuotes !== true) into.addRaw(this.#doubleQuoted());
      else if (character === escape) {
        if (this.#keepEscapes) into.addRaw(character);
        if (this.#at < this.#text.length) into.addRaw(this.#next());
      } else into.add(character);
    }
    if (stop !== "") throw this.#bad(`found no ${stop} at the end of a substitution`);
  }

  /** Number of characters ahead that stand for themselves. */
  #plainRun(stop: string): number {
    let at = this.#at;
    for (; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === "$" || character === "'" || character === '"') break;
      if (character === stop || character === this.#options.escape) break;
    }
    return at - this.#at;
  }

  /** Reads and expands up to `stop`. */
  #argument(stop: string, keepEscapes: boolean): string {
    const outer = this.#keepEscapes;
    this.#keepEscapes = keepEscapes;
    const collector = new WordCollector(false);
    this.#readUntil(stop, collector);
    this.#keepEscapes = outer;
    return collector.finish().text;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw this.#unmatched("'");
    const inner = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    this.#options.budget.spend(inner.length);
    return this.#options.keepQuotes === true ? `'${inner}'` : inner;
  }

  #doubleQuoted(): string {
    let inner = "";
    while (this.#at < this.#text.length) {
      const character = this.#next();
      if (character === '"') return this.#options.keepQuotes === true ? `"${inner}"` : inner;
      if (character === "$") inner += this.#dollar();
      else if (character === this.#options.escape) inner += this.#escapedInQuotes(character);
      else inner += character;
    }
    throw this.#unmatched('"');
  }

  /** Between double quotes the escape character works before `"`, `$` and itself only. */
  #escapedInQuotes(escape: string): string {
    const kept = this.#keepEscapes ? escape : "";
    if (this.#at >= this.#text.length) return kept;
    const following = this.#text.charAt(this.#at);
    if (following === '"' || following === "$" || following === escape) return kept + this.#next();
    return kept + escape;
  }

  #dollar(): string {
    if (++this.#depth > limits.expansionDepth) throw this.#tooDeep();
    const value = this.#text.charAt(this.#at) === "{" ? this.#braced() : this.#bare();
    this.#depth--;
    this.#options.budget.spend(value.length);
    return value;
  }

  #bare(): string {
    const name = this.#name();
    if (name === "") return "$";
    return this.#options.lookup(name) ?? (this.#options.keepUnset === true ? `$${name}` : "");
  }

  #braced(): string {
    this.#next();
    const first = this.#text.charAt(this.#at);
    if (first === "" || "{}:".includes(first)) throw this.#bad("found no variable name after ${");
    const name = this.#name();
    const modifier = this.#modifier();
    const value = this.#options.lookup(name);
    if (modifier === "}") return value ?? (this.#options.keepUnset === true ? `\${${name}}` : "");
    if (modifier === "/" || modifier === "//") return this.#replace(name, value, modifier);
    return this.#alternative(name, value, modifier);
  }

  #modifier(): string {
    const first = this.#next();
    const second = this.#text.charAt(this.#at);
    const both = first + second;
    if (first === ":" ? [":-", ":+", ":?"].includes(both) : both === "//") {
      this.#next();
      return both;
    }
    if (first !== "" && "}-+?#%/".includes(first)) return first;
    throw this.#bad(`found ${first === "" ? "no } after a variable name" : quoted(first === ":" ? both : first)}`);
  }

  #alternative(name: string, value: string | undefined, modifier: string): string {
    const operator = modifier.slice(-1);
    const argument = this.#argument("}", operator === "#" || operator === "%");
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${modifier}${argument}}`;
    const missing = value === undefined || (modifier.startsWith(":") && value === "");
    switch (operator) {
      case "-":
        return missing ? argument : value;
      case "+":
        return missing ? "" : argument;
      case "?":
        if (missing) throw this.#required(name, value, argument);
        return value;
      default:
        return this.#remove(value ?? "", operator, argument);
    }
  }

  #remove(value: string, operator: string, argument: string): string {
    const greedy = argument.startsWith(operator);
    const pattern = this.#pattern(greedy ? argument.slice(1) : argument);
    const remove = operator === "#" ? removePrefix : removeSuffix;
    return remove(value, pattern, greedy, this.#options.budget);
  }

  #replace(name: string, value: string | undefined, modifier: "/" | "//"): string {
    const search = this.#argument("/", true);
    const replacement = this.#argument("}", true);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}/${search}/${replacement}}`;
    const replace = modifier === "//" ? replaceAll : replaceFirst;
    return replace(value ?? "", this.#pattern(search), replacement, this.#options.budget);
  }

  #pattern(text: string): ShellPattern {
    const pattern = parseShellPattern(text);
    if (pattern === undefined) throw this.#bad(`found a backslash before an ordinary character in ${quoted(text)}`);
    return pattern;
  }

  /** A run of digits, one special parameter, or letters, digits and `_`; empty where none of these stands. */
  #name(): string {
    const first = this.#peekCharacter();
    if (first !== "" && specialParameters.includes(first)) return this.#take(first.length);
    const form = digit.test(first) ? digit : nameCharacter;
    let name = "";
    for (let character = first; character !== "" && form.test(character); character = this.#peekCharacter()) {
      name += this.#take(character.length);
    }
    return name;
  }

  #peekCharacter(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #next(): string {
    return this.#take(1);
  }

  #take(length: number): string {
    const taken = this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
    this.#options.budget.spend(length);
    return taken;
  }

  #bad(found: string): StagewrightError {
    return malformed({
      code: "bad-substitution",
      subject: this.#options.subject,
      message: `expected $NAME, \${NAME} or \${NAME} with one of :- - :+ + :? ? # ## % %% / //, ${found} in ${quoted(this.#text)}`,
      hint: "Write a backslash before a dollar sign that is meant literally.",
    });
  }

  #unmatched(mark: string): StagewrightError {
    return malformed({
      code: "unmatched-quote",
      subject: this.#options.subject,
      message: `expected a second ${mark} in ${quoted(this.#text)}, found the end of the word`,
      hint: "Close the quote, or use the JSON form for a path with blanks.",
    });
  }

  #required(name: string, value: string | undefined, argument: string): StagewrightError {
    const state = value === undefined ? "set" : "not empty";
    return malformed({
      code: "variable-required",
      subject: this.#options.subject,
      message: `expected ${name} to be ${state}${argument === "" ? "" : `: ${quoted(argument)}`}`,
      hint: `Give ${name} a value with ARG, ENV or a build argument.`,
    });
  }

  #tooDeep(): StagewrightError {
    return malformed({
      code: "substitution-too-deep",
      subject: this.#options.subject,
      message: `expected at most ${limits.expansionDepth} substitutions inside each other, found more`,
      hint: "Set a variable to the inner value first, then use that.",
    });
  }
}
