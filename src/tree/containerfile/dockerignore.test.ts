import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { StagewrightError, toByteString } from "../../base/index.js";
import { dockerignoreCandidates, parseDockerignore } from "./dockerignore.js";
import { createIgnoreMatcher, type IgnoreMatcher, type IgnoreState } from "./ignore-matcher.js";

const known = JSON.parse(
  readFileSync(new URL("../../../test/known-answers/containerfile/dockerignore.json", import.meta.url), "utf8"),
) as {
  readonly files: readonly string[];
  readonly cases: readonly {
    readonly dockerignore: string;
    readonly ignored?: readonly string[];
    readonly refused?: string;
  }[];
};

/** The files that a walk leaves out when it prunes wherever it may. */
function walkIgnored(matcher: IgnoreMatcher, files: readonly string[]): string[] {
  const ignored: string[] = [];
  for (const file of files) {
    const parts = toByteString(file).split("/");
    let state: IgnoreState | undefined;
    let gone = false;
    for (let length = 1; length <= parts.length && !gone; length++) {
      const path = parts.slice(0, length).join("/");
      state = matcher.enter(path, state);
      gone = length < parts.length && matcher.mayPrune(path, state);
    }
    if (gone || state?.ignored === true) ignored.push(file);
  }
  return ignored;
}

// CF-82 to CF-84 are held by the known answers.
describe("parseDockerignore with createIgnoreMatcher", () => {
  const answered = known.cases.filter((one) => one.ignored !== undefined);
  const refused = known.cases.filter((one) => one.refused !== undefined);

  // CF-86: Go's regexp gives the letter a meaning of its own; BuildKit's answer is that nothing matches.
  const letterEscapes = new Set(["\\a"]);

  it.each(answered.filter((one) => !letterEscapes.has(one.dockerignore)))(
    "leaves out for $dockerignore what BuildKit leaves out",
    ({ dockerignore, ignored = [] }) => {
      const matcher = createIgnoreMatcher(parseDockerignore(dockerignore));
      expect(known.files.filter((file) => matcher.ignores(toByteString(file)))).toEqual(ignored);
      expect(walkIgnored(matcher, known.files)).toEqual(ignored);
    },
  );

  it.each([...refused.map((one) => one.dockerignore), ...letterEscapes])("refuses %s", (dockerignore) => {
    expect(() => createIgnoreMatcher(parseDockerignore(dockerignore), ".dockerignore")).toThrow(
      expect.objectContaining({ kind: "malformed", subject: ".dockerignore" }),
    );
  });

  it("reads CRLF, a byte order mark, comments and blank lines (CF-81)", () => {
    expect(parseDockerignore(Buffer.from("\ufeff/a/\r\n# c\r\n\r\n ! ./b/../c \r\n #d"))).toEqual(["a", "!c", "#d"]);
  });

  it("prunes only where no exception can match below (CF-85)", () => {
    const states = (patterns: readonly string[], path: string): boolean => {
      const matcher = createIgnoreMatcher(patterns);
      return matcher.mayPrune(path, matcher.enter(path, undefined));
    };
    expect(states(["d"], "d")).toBe(true);
    expect(states(["d", "!e"], "d")).toBe(true);
    expect(states(["d", "!d/x"], "d")).toBe(false);
    expect(states(["d", "!dx"], "d")).toBe(true);
    expect(states(["d", "!**/x"], "d")).toBe(false);
    expect(states(["x"], "d")).toBe(false);
  });

  it("gives the same answer walking as asked for one path, and throws nothing else", () => {
    const piece = fc.constantFrom("a", "b", "*", "**", "?", "/", "[a]", "!", "\\*", "^", "é", ".");
    const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
    const path = fc
      .array(fc.constantFrom("a", "b", "ab", "é", "*"), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), path, (patterns, file) => {
        let matcher: IgnoreMatcher;
        try {
          matcher = createIgnoreMatcher(parseDockerignore(patterns.join("\n")));
        } catch (error) {
          expect(error).toBeInstanceOf(StagewrightError);
          return;
        }
        expect(walkIgnored(matcher, [file]).length === 1).toBe(matcher.ignores(toByteString(file)));
      }),
      { numRuns: 500 },
    );
  });
});

describe("dockerignoreCandidates", () => {
  it("prefers the file named after the Containerfile (CF-80)", () => {
    expect(dockerignoreCandidates("Containerfile")).toEqual({
      besideContainerfile: "Containerfile.dockerignore",
      inContext: ".dockerignore",
    });
  });
});
