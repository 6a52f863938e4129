/**
 * Blanks as Go's `unicode.IsSpace` knows them. JavaScript's `\s` and `trim` differ: they take U+FEFF and leave U+0085,
 * so a file could mean one thing here and another in BuildKit.
 */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** Index of the first character from `from` on that is no blank; `to` when there is none before it. */
export function skipSpace(text: string, from: number, to = text.length): number {
  let at = from;
  while (at < to && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Index just after the last character before `to` that is no blank, but not below `from`. */
export function skipSpaceBack(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

export function trimSpace(text: string): string {
  const from = skipSpace(text, 0);
  return text.slice(from, skipSpaceBack(text, from, text.length));
}

/** The blanks that separate words of one instruction: narrower than {@link isSpace}. */
export function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x09 || (code >= 0x0b && code <= 0x0d);
}

/** A piece of a text, and where it begins there. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

// Patterns below, since the regular expression engine is quick from the first file on; loops are not until compiled.
const separated = /[^\t\v\f\r ]+/g;
const spaced = /[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** The pieces between runs of {@link isSeparator}. */
export function splitAtSeparators(text: string): Word[] {
  return Array.from(text.matchAll(separated), toWord);
}

/** The pieces between runs of {@link isSpace}. */
export function splitAtSpace(text: string): Word[] {
  return Array.from(text.matchAll(spaced), toWord);
}

function toWord(match: RegExpExecArray): Word {
  return { text: match[0], at: match.index };
}

/**
 * Words between blanks where quotes and the escape character keep blanks inside; both stay in the words. An escape
 * character at the very end is dropped.
 */
export function splitQuotedWords(text: string, escape: string): Word[] {
  if (!/["'\\`]/.test(text)) return splitAtSpace(text);
  const words: Word[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const end = endOfQuotedWord(text, at, escape);
    const dangling = end.dangling ? 1 : 0;
    if (end.at - dangling > at) words.push({ text: text.slice(at, end.at - dangling), at });
    at = skipSpace(text, end.at);
  }
  return words;
}

function endOfQuotedWord(text: string, from: number, escape: string): { at: number; dangling: boolean } {
  let quoted = "";
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === escape && quoted !== "'") {
      if (at + 1 === text.length) return { at: text.length, dangling: true };
      at++;
    } else if (quoted !== "") {
      if (character === quoted) quoted = "";
    } else if (character === '"' || character === "'") {
      quoted = character;
    } else if (isSpace(text.charCodeAt(at))) {
      return { at, dangling: false };
    }
  }
  return { at: text.length, dangling: false };
}
