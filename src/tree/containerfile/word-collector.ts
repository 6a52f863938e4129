import { isSpace } from "./space.js";

/** The result of an expansion: the whole text, and the words that it falls into. */
export interface Expanded {
  readonly text: string;
  readonly words: readonly string[];
}

/** Gathers the result of an expansion, and beside it the words into which its unquoted blanks cut it. */
export class WordCollector {
  readonly #pieces: string[] = [];
  readonly #words: string[] = [];
  readonly #cuts: boolean;
  #word = "";

  /** @param cuts whether words are wanted at all. */
  constructor(cuts: boolean) {
    this.#cuts = cuts;
  }

  /** Adds text whose blanks end words. */
  add(text: string): void {
    this.#pieces.push(text);
    if (!this.#cuts) return;
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      if (!isSpace(text.charCodeAt(at))) continue;
      this.#word += text.slice(from, at);
      this.#endWord();
      from = at + 1;
    }
    this.#word += from === 0 ? text : text.slice(from);
  }

  /** Adds text whose blanks belong to the word. */
  addRaw(text: string): void {
    this.#pieces.push(text);
    if (this.#cuts) this.#word += text;
  }

  finish(): Expanded {
    this.#endWord();
    return { text: this.#pieces.join(""), words: this.#words };
  }

  #endWord(): void {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
  }
}
