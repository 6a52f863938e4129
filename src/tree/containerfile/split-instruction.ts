import { isSpace, skipSpace, skipSpaceBack } from "./space.js";

/** A flag as it stands: quotes taken away, not yet cut at `=`. */
export interface RawFlag {
  readonly text: string;
  /** Index in the joined line. */
  readonly at: number;
}

/** An instruction's line cut into its parts; indexes are those of the joined line. */
export interface InstructionParts {
  readonly keyword: string;
  readonly keywordAt: number;
  readonly flags: readonly RawFlag[];
  /** What follows the flags, without blanks at its ends. */
  readonly rest: string;
  readonly restAt: number;
}

const keywordForm = /[^\t\v\f\r ]+/y;

/** Cuts a joined line into its keyword, the words after it that begin with two dashes, and the rest. */
export function splitInstruction(line: string): InstructionParts {
  const keywordAt = skipSpace(line, 0);
  const end = skipSpaceBack(line, keywordAt, line.length);
  keywordForm.lastIndex = keywordAt;
  const at = Math.min(end, keywordAt + (keywordForm.exec(line)?.[0].length ?? 0));
  const keyword = line.slice(keywordAt, at);
  const flags: RawFlag[] = [];
  const afterFlags = readFlags(line, at, end, flags);
  const restAt = skipSpace(line, afterFlags, end);
  return { keyword, keywordAt, flags, rest: line.slice(restAt, end), restAt };
}

/** Reads flags into `flags`; gives the index after the last of them. `--` alone ends them. */
function readFlags(line: string, from: number, end: number, flags: RawFlag[]): number {
  let at = skipSpace(line, from, end);
  while (at + 1 < end && line.startsWith("--", at)) {
    const flag = readFlag(line, at, end);
    if (flag.text === "--") return flag.end;
    flags.push({ text: flag.text, at });
    at = skipSpace(line, flag.end, end);
  }
  return at;
}

/** A flag without quotes and escapes, up to the blank after it: nearly every flag there is. */
const plainFlag = /--[!#-&(-[\]-~]*(?=[\t ]|$)/y;

/** One word of flags. A backslash escapes here whatever the escape directive says. */
function readFlag(line: string, from: number, end: number): { readonly text: string; readonly end: number } {
  plainFlag.lastIndex = from;
  const plain = plainFlag.exec(line)?.[0];
  if (plain !== undefined) return { text: plain, end: from + plain.length };
  let text = "";
  let quoted = "";
  let at = from;
  for (; at < end; at++) {
    const character = line.charAt(at);
    if (character === "\\") {
      at++;
      text += at < end ? line.charAt(at) : "";
    } else if (quoted !== "") {
      if (character === quoted) quoted = "";
      else text += character;
    } else if (character === '"' || character === "'") {
      quoted = character;
    } else if (isSpace(line.charCodeAt(at))) {
      break;
    } else {
      text += character;
    }
  }
  return { text, end: Math.min(at, end) };
}
