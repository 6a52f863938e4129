import { quoted } from "../problem.js";
import type { Heredoc } from "./ast.js";
import type { InstructionContext } from "./context.js";
import type { ExpansionBudget } from "./expansion-budget.js";
import { stripLeadingTabs } from "./lines.js";
import { splitAtSpace } from "./space.js";
import { WordExpander } from "./word-expander.js";

/** A heredoc as its word announces it, before its body is read. */
export type HeredocWord = Omit<Heredoc, "content" | "body">;

const form = /^(\d*)<<(-?)([^<]*)$/;
const quotes = /['"]/g;
/** What the words below cannot change: nearly every delimiter there is. */
const plainDelimiter = /^[A-Za-z0-9_]+$/;
const quotedDelimiter = /^(['"])([A-Za-z0-9_]+)\1$/;
/** Quotes around letters and digits keep no blank and hide nothing. */
const harmlessQuotes = /(['"])[A-Za-z0-9_]+\1/g;
/** Without one of these a text is its words. */
const special = /['"\\$\ufeff]/;

const nothingIsSet = (): undefined => undefined;
/** Where no variable is set nothing grows. */
const noBudget: ExpansionBudget = { spend: () => undefined };

/**
 * The heredoc that a word announces, or undefined for any other word. `fault` where quotes in the delimiter do not match.
 * Delimiters are read with the backslash as escape character, whatever the escape directive says.
 */
export function parseHeredocWord(word: string): HeredocWord | "fault" | undefined {
  const match = word.includes("<<") ? form.exec(word) : null;
  if (match === null) return undefined;
  const [, descriptor = "", dash = "", delimiter = ""] = match;
  const stripTabs = dash === "-";
  const fileDescriptor = Number(descriptor);
  if (plainDelimiter.test(delimiter)) return { name: delimiter, expand: true, stripTabs, fileDescriptor };
  const name = quotedDelimiter.exec(delimiter)?.[2];
  if (name !== undefined) return { name, expand: false, stripTabs, fileDescriptor };
  return lexDelimiter(delimiter, stripTabs, fileDescriptor);
}

function lexDelimiter(
  delimiter: string,
  stripTabs: boolean,
  fileDescriptor: number,
): HeredocWord | "fault" | undefined {
  const plain = lexWords(delimiter, {});
  const quoted = lexWords(delimiter, { keepQuotes: true });
  if (plain === undefined || quoted === undefined) return "fault";
  const name = plain[0];
  if (plain.length !== 1 || quoted.length !== 1 || name === undefined) return undefined;
  return {
    name,
    // A quote that vanishes was a quote; one that stays was escaped.
    expand: countQuotes(name) === countQuotes(quoted[0] ?? ""),
    stripTabs,
    fileDescriptor,
  };
}

/** Reads the bodies of the heredocs that an instruction's line announces; they follow the line in the same order. */
export function readHeredocs(context: InstructionContext): readonly Heredoc[] {
  const { text } = context.line;
  if (!text.includes("<<")) return [];
  // Quotes that do not match make BuildKit see no heredoc at all: `RUN echo it's <<EOF`.
  const words = lexWords(text, { keepQuotes: true, keepEscapes: true }) ?? [];
  const announced: HeredocWord[] = [];
  for (const word of words) {
    const heredoc = parseHeredocWord(word);
    if (heredoc === "fault") {
      context.fault(
        Math.max(0, text.indexOf(word)),
        "bad-heredoc-delimiter",
        `expected a heredoc delimiter with matching quotes, found ${quoted(word)}`,
        "Quote the whole delimiter, as in <<'EOF', or none of it.",
      );
      return [];
    }
    if (heredoc !== undefined) announced.push(heredoc);
  }
  return readBodies(context, announced);
}

function readBodies(context: InstructionContext, announced: readonly HeredocWord[]): readonly Heredoc[] {
  const heredocs: Heredoc[] = [];
  for (const word of announced) {
    const body = context.reader.readBody(word.name, word.stripTabs);
    if (body === undefined) {
      context.fault(
        Math.max(0, context.line.text.indexOf("<<")),
        "unterminated-heredoc",
        `expected a line ${quoted(word.name)} that ends the heredoc, found the end of the file`,
        word.stripTabs
          ? "Put the delimiter on a line of its own; only tabs may stand before it."
          : "Put the delimiter on a line of its own, with nothing before it (or use <<- and tabs).",
      );
      return heredocs;
    }
    const { name, expand, stripTabs, fileDescriptor } = word;
    const content = stripTabs ? stripLeadingTabs(body) : body;
    heredocs.push({ name, expand, stripTabs, fileDescriptor, body, content });
  }
  return heredocs;
}

function lexWords(
  text: string,
  options: { readonly keepQuotes?: boolean; readonly keepEscapes?: boolean },
): readonly string[] | undefined {
  const bare = options.keepQuotes === true ? text.replace(harmlessQuotes, "") : text;
  if (!special.test(bare)) return splitAtSpace(text).map((word) => word.text);
  try {
    return new WordExpander(text, {
      keepQuotes: options.keepQuotes ?? false,
      keepEscapes: options.keepEscapes ?? false,
      lookup: nothingIsSet,
      escape: "\\",
      budget: noBudget,
      subject: undefined,
      keepUnset: true,
    }).words();
  } catch {
    return undefined;
  }
}

function countQuotes(text: string): number {
  return text.match(quotes)?.length ?? 0;
}
