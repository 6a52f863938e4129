import { StagewrightError } from "../../base/index.js";
import {
  createExpansionBudget,
  expandHeredoc,
  expandWord,
  expandWords,
  type Directives,
  type Position,
} from "../../tree/index.js";
import { refusal, type SourceFile } from "./refusal.js";

type Variables = ReadonlyMap<string, string>;

/** The expansion of words of one file; what is wrong with a word is blamed on the instruction's place. */
export interface Words {
  expand(word: string, variables: Variables, position: Position): string;
  /** Expanded, then cut at blanks. */
  split(word: string, variables: Variables, position: Position): readonly string[];
  /** A heredoc's body: quotes are plain text. */
  heredoc(body: string, variables: Variables, position: Position): string;
}

export function wordsOf(source: SourceFile, escape: Directives["escape"]): Words {
  const context = { budget: createExpansionBudget(source.fileName) };
  const blamed = <T>(position: Position, expand: () => T): T => {
    try {
      return expand();
    } catch (thrown) {
      throw thrown instanceof StagewrightError ? placed(source, position, thrown) : thrown;
    }
  };
  const lookupIn = (variables: Variables) => (name: string) => variables.get(name);
  return {
    expand: (word, variables, position) =>
      word === "" ? "" : blamed(position, () => expandWord(word, lookupIn(variables), escape, context)),
    split: (word, variables, position) =>
      blamed(position, () => expandWords(word, lookupIn(variables), escape, context)),
    heredoc: (body, variables, position) => blamed(position, () => expandHeredoc(body, lookupIn(variables), context)),
  };
}

function placed(source: SourceFile, position: Position, { code, message, hint }: StagewrightError): StagewrightError {
  return refusal(source, position, { code, message, hint: hint ?? "Quote the character, or escape it." });
}
