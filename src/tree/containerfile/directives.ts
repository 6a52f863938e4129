import { quoted } from "../problem.js";
import type { Directives } from "./ast.js";
import type { FaultList } from "./faults.js";
import { skipSpace } from "./space.js";

const form = /^#[\t\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\f\r ]*=/;
const known: ReadonlySet<string> = new Set(["syntax", "check", "escape"]);
const faultColumn = 1;

/**
 * The parser directives at the head of a file (without its byte order mark). They end at the first line that is none: a
 * blank line, an instruction, a comment of another form, an unknown name.
 */
export function readDirectives(text: string, faults: FaultList): Directives {
  const found = new Map<string, string>();
  let at = 0;
  for (let line = 1; at < text.length; line++) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const directive = parseDirective(text.slice(skipSpace(text, at, end), end));
    if (directive === undefined) break;
    if (found.has(directive.name)) {
      faults.report({
        code: "directive-repeated",
        position: { line, column: faultColumn },
        message: `expected one ${directive.name} directive, found a second`,
        hint: "Remove one of the two.",
      });
    } else {
      found.set(directive.name, directive.value);
      if (directive.name === "escape") checkEscape(directive.value, line, faults);
    }
    at = end + 1;
  }
  return {
    syntax: found.get("syntax"),
    check: found.get("check"),
    escape: found.get("escape") === "`" ? "`" : "\\",
  };
}

function parseDirective(line: string): { readonly name: string; readonly value: string } | undefined {
  const match = form.exec(line);
  if (match === null) return undefined;
  const name = (match[1] ?? "").toLowerCase();
  const value = trimAscii(line.slice(match[0].length));
  return known.has(name) && value !== "" ? { name, value } : undefined;
}

function checkEscape(value: string, line: number, faults: FaultList): void {
  if (value === "\\" || value === "`") return;
  faults.report({
    code: "bad-escape-directive",
    position: { line, column: faultColumn },
    message: `expected the escape character to be \\ or \`, found ${quoted(value)}`,
    hint: "Write `# escape=\\` or `# escape=` and a backtick, or remove the line.",
  });
}

function trimAscii(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isAsciiBlank(text.charCodeAt(from))) from++;
  while (to > from && isAsciiBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isAsciiBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b);
}
