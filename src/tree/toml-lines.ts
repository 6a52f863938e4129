/**
 * Lines of keys and values in a TOML text. The TOML library gives values without positions, so this scan finds them. It
 * expects a text that the library has taken, and never throws on any other: a place that it cannot tell is line 1.
 */

/** Line numbers (from 1) by path: `["sources", "gcc", "mirrors", "0"]`. */
export interface TomlLines {
  /** Line of the value at the path, or of the nearest table that holds it, or 1. */
  lineOf(path: readonly string[]): number;
}

// A byte that no TOML key in one of our files needs, so that the joined path is unambiguous.
const separator = "\u0000";

/** Finds the lines in one pass over the text. Nesting deeper than 64 is skipped over, not followed. */
export function scanTomlLines(text: string): TomlLines {
  const scan = new Scan(text);
  scan.document();
  const lines = scan.lines;
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(path.slice(0, length).join(separator));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

/** As {@link scanTomlLines}, but the text is scanned only when the first line is asked for. */
export function lineFinder(text: string): (path: readonly string[]) => number {
  let lines: TomlLines | undefined;
  return (path) => {
    lines ??= scanTomlLines(text);
    return lines.lineOf(path);
  };
}

const maxDepth = 64;

class Scan {
  readonly lines = new Map<string, number>();
  /** Tables seen of each `[[name]]`. */
  private readonly tablesOf = new Map<string, number>();
  private at = 0;
  private line = 1;

  constructor(private readonly text: string) {}

  document(): void {
    let table: readonly string[] = [];
    for (;;) {
      this.skipBlank(true);
      if (this.at >= this.text.length) return;
      const before = this.at;
      if (this.text[this.at] === "[") table = this.header();
      else this.keyValue(table, 0);
      // A text that makes no progress is not TOML; giving up is safe, since it only loses line numbers.
      if (this.at === before) return;
    }
  }

  private header(): readonly string[] {
    const repeated = this.text[this.at + 1] === "[";
    this.at += repeated ? 2 : 1;
    const key = this.key();
    while (this.text[this.at] === "]") this.at++;
    if (!repeated) {
      this.record(key);
      return key;
    }
    const name = key.join(separator);
    const index = this.tablesOf.get(name) ?? 0;
    this.tablesOf.set(name, index + 1);
    this.record(key);
    const path = [...key, String(index)];
    this.record(path);
    return path;
  }

  private keyValue(table: readonly string[], depth: number): void {
    const path = [...table, ...this.key()];
    this.record(path);
    if (this.text[this.at] !== "=") return;
    this.at++;
    this.value(path, depth);
  }

  private value(path: readonly string[], depth: number): void {
    this.skipBlank(false);
    const character = this.text[this.at];
    if (character === '"' || character === "'") this.string(character);
    else if (character === "[") this.list(path, depth + 1);
    else if (character === "{") this.inlineTable(path, depth + 1);
    else this.bareValue();
  }

  private list(path: readonly string[], depth: number): void {
    this.at++;
    for (let index = 0; ; index++) {
      this.skipBlank(true);
      if (this.closed("]")) return;
      const before = this.at;
      const item = [...path, String(index)];
      if (depth > maxDepth) this.at++;
      else {
        this.record(item);
        this.value(item, depth);
      }
      this.skipBlank(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.at === before) this.at++;
    }
  }

  private inlineTable(path: readonly string[], depth: number): void {
    this.at++;
    for (;;) {
      this.skipBlank(true);
      if (this.closed("}")) return;
      const before = this.at;
      if (this.text[this.at] === ",") this.at++;
      else if (depth > maxDepth) this.at++;
      else this.keyValue(path, depth);
      if (this.at === before) this.at++;
    }
  }

  private closed(bracket: string): boolean {
    if (this.at >= this.text.length) return true;
    if (this.text[this.at] !== bracket) return false;
    this.at++;
    return true;
  }

  /** A dotted key; blanks after it are skipped. */
  private key(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.skipBlank(false);
      const character = this.text[this.at];
      if (character === '"' || character === "'") parts.push(this.quotedKey(character));
      else parts.push(this.bareKey());
      this.skipBlank(false);
      if (this.text[this.at] !== "." || parts.length > maxDepth) return parts;
      this.at++;
    }
  }

  private bareKey(): string {
    const start = this.at;
    while (this.at < this.text.length && /[A-Za-z0-9_-]/.test(this.text[this.at] ?? "")) this.at++;
    return this.text.slice(start, this.at);
  }

  private quotedKey(quote: string): string {
    const start = this.at + 1;
    this.string(quote);
    const raw = this.text.slice(start, this.at - 1);
    if (quote === "'" || !raw.includes("\\")) return raw;
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      // TOML has escapes that JSON lacks (\U, \e): such a key keeps its raw form and its value the table's line.
      return raw;
    }
  }

  private string(quote: string): void {
    const triple = quote.repeat(3);
    const long = this.text.startsWith(triple, this.at);
    this.at += long ? 3 : 1;
    while (this.at < this.text.length) {
      const character = this.text[this.at];
      if (character === "\\" && quote === '"') {
        if (this.text[this.at + 1] === "\n") this.line++;
        this.at += 2;
      } else if (long ? this.text.startsWith(triple, this.at) : character === quote) {
        this.at += long ? 3 : 1;
        // Up to two quotes may stand before the closing three.
        while (long && this.text[this.at] === quote) this.at++;
        return;
      } else {
        if (character === "\n") {
          if (!long) return;
          this.line++;
        }
        this.at++;
      }
    }
  }

  private bareValue(): void {
    while (this.at < this.text.length && !"\n,]}#".includes(this.text[this.at] ?? "")) this.at++;
  }

  private skipBlank(overLines: boolean): void {
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at];
      if (character === "\n") {
        if (!overLines) return;
        this.line++;
      } else if (character === "#") {
        const end = this.text.indexOf("\n", this.at);
        if (!overLines) return;
        this.at = (end === -1 ? this.text.length : end) - 1;
      } else if (character !== " " && character !== "\t" && character !== "\r") return;
    }
  }

  private record(path: readonly string[]): void {
    const key = path.join(separator);
    if (!this.lines.has(key)) this.lines.set(key, this.line);
  }
}
