import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { StagewrightError } from "../../base/index.js";
import { expandHeredoc, expandWord, expandWords } from "./expand.js";

const known = JSON.parse(
  readFileSync(new URL("../../../test/known-answers/containerfile/expansion.json", import.meta.url), "utf8"),
) as {
  readonly variables: Readonly<Record<string, string>>;
  readonly expanded: readonly (readonly [string, string])[];
  readonly refused: readonly string[];
};
const lookup = (name: string): string | undefined =>
  Object.hasOwn(known.variables, name) ? known.variables[name] : undefined;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof StagewrightError) return error.code;
    throw error;
  }
  return "no error";
}

describe("expandWord", () => {
  // CF-62: a colon before # and % is taken by BuildKit 0.13 and refused by later ones; here it is refused.
  const versionsDiffer = new Set(["${A:#a}", "${A:%c}"]);
  const comparable = known.expanded.filter(([word]) => !versionsDiffer.has(word));

  // CF-60 too: the alternatives, set and unset, empty and not.
  it.each(comparable)("gives for %s what BuildKit gives", (word, expected) => {
    expect(expandWord(word, lookup, "\\")).toBe(expected);
  });

  it.each([...known.refused, ...versionsDiffer])("refuses %s", (word) => {
    const code = codeOf(() => expandWord(word, lookup, "\\", { subject: "f:1:2" }));
    expect(["bad-substitution", "unmatched-quote", "variable-required"]).toContain(code);
  });

  it("leaves the value where the pattern is empty (CF-61: BuildKit 0.13 falls over)", () => {
    expect(expandWord("${A#}${A%}", lookup, "\\")).toBe("abcabc");
  });

  it("takes the backtick as escape character (CF-50)", () => {
    expect(expandWord('`$A \\$A "`$A" `"', lookup, "`")).toBe('$A \\abc $A "');
  });

  it("names the subject and the reason", () => {
    const expand = (): string => expandWord("${NO:?needed}", lookup, "\\", { subject: "f:1:2" });
    expect(expand).toThrow(expect.objectContaining({ code: "variable-required", subject: "f:1:2" }));
    expect(expand).toThrow(/needed/);
  });

  it("is the identity on words without quotes, dollars and escapes", () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        fc.pre(!/["'$\\]|^\ufeff/.test(word));
        expect(expandWord(word, lookup, "\\")).toBe(word);
      }),
    );
  });

  it("gives a quoted text back", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(expandWord(`"${text.replace(/["$\\]/g, "\\$&")}"`, lookup, "\\")).toBe(text);
      }),
    );
  });

  it("throws nothing but StagewrightError", () => {
    const piece = fc.constantFrom(
      "$",
      "{",
      "}",
      ":",
      "-",
      "+",
      "?",
      "#",
      "%",
      "/",
      "A",
      "NO",
      '"',
      "'",
      "\\",
      " ",
      "*",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        codeOf(() => expandWord(pieces.join(""), lookup, "\\"));
        codeOf(() => expandHeredoc(pieces.join(""), lookup));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("expandWords", () => {
  it("cuts at blanks that are not quoted, after the substitution (CF-51)", () => {
    expect(expandWords('80 $S "x y"z \\ w  ""', lookup, "\\")).toEqual(["80", "a", "b", "c", "x yz", " w"]);
  });
});

describe("expandHeredoc", () => {
  it("keeps quotes, drops each backslash, and takes the next character as it is (CF-52; the bytes that BuildKit wrote)", () => {
    const variables: Readonly<Record<string, string>> = { V: "a b", W: "w" };
    const body = '$V ${W:-x} \\$V "$V" \'$V\' \\\\ \\n a\\\nb $(uname) $ ${U}.\n\\"q\\"\n';
    expect(expandHeredoc(body, (name) => variables[name])).toBe('a b w $V "a b" \'a b\' \\ n a\nb $(uname) $ .\n"q"\n');
  });
});
