/** Where a person reads: colour and moving lines only on a terminal, plain lines elsewhere. */

/** The part of a stream that is used. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

const codes = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;
export type Colour = keyof typeof codes;

export class Terminal {
  /** Whether standard error can show lines that move. */
  readonly moves: boolean;
  private readonly coloured: boolean;
  private shown = 0;

  constructor(
    private readonly out: TextStream,
    private readonly err: TextStream,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    const plain = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
    this.moves = err.isTTY === true && environment["TERM"] !== "dumb";
    this.coloured = out.isTTY === true && err.isTTY === true && !plain;
  }

  /** The answer, on standard output. */
  print(text: string): void {
    this.erase();
    this.out.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** One document for a program. */
  printJson(report: unknown): void {
    this.print(JSON.stringify(report, undefined, 2));
  }

  /** A line of progress or a message, on standard error; lines that move stay below it. */
  note(text: string): void {
    this.erase();
    this.err.write(`${text}\n`);
  }

  /** Shows these lines in place of those shown before; on anything but a terminal nothing. */
  show(lines: readonly string[]): void {
    if (!this.moves) return;
    const width = (this.err.columns ?? 80) - 1;
    const cut = lines.map((line) => line.slice(0, width));
    const up = this.shown > 0 ? `\u001b[${String(this.shown)}A` : "";
    this.err.write(`${up}\r\u001b[J${cut.map((line) => `${line}\n`).join("")}`);
    this.shown = cut.length;
  }

  erase(): void {
    if (this.shown > 0) this.err.write(`\u001b[${String(this.shown)}A\r\u001b[J`);
    this.shown = 0;
  }

  paint(colour: Colour, text: string): string {
    return this.coloured ? `\u001b[${String(codes[colour])}m${text}\u001b[0m` : text;
  }
}

/** Text from outside made safe to show: control characters and bidirectional marks are escaped. */
export function shown(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
