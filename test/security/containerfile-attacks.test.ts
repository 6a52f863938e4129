import { describe, expect, it } from "vitest";

import {
  checkContainerfile,
  createExpansionBudget,
  createIgnoreMatcher,
  expandHeredoc,
  expandWord,
  imageReferences,
  matchPath,
  parseContainerfile,
  parseDockerignore,
} from "../../src/tree/containerfile/index.js";
import { limits } from "../../src/base/index.js";

const size = limits.containerfileSize;
const deadlineMilliseconds = 2000;

/** Processor time of the quicker of two runs: other programs on the machine must not fail the test. */
function costMilliseconds(action: () => void): number {
  const costs = [0, 1].map(() => {
    const before = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

function fill(head: string, piece: string): string {
  return head + piece.repeat(Math.floor((size - head.length) / piece.length));
}

/** CF-4. Files of the largest size that is read at all, each aimed at one loop of the parser. */
const files: Readonly<Record<string, string>> = {
  "blank lines": fill("FROM a\n", "\n"),
  "blank continued lines": fill("FROM a\nRUN \\\n", "\n"),
  "comments between continued lines": fill("FROM a\nRUN \\\n", "#\n"),
  "continued lines": fill("FROM a\nRUN a", "\\\n"),
  "one line of blanks": fill("FROM a\n", " "),
  "one line of escape characters": fill("FROM a\nRUN ", "\\"),
  "one line of quotes": fill("FROM a\nENV a=", '"'),
  "directives of blanks": fill("# escape=a", " "),
  "unknown instructions": fill("FROM a\n", "x\n"),
  "faults beside each other": fill("FROM a\nCOPY ", "--a "),
  "heredocs on one line": fill("FROM a\nRUN ", "<<A "),
  "heredocs on a continued line": fill("FROM a\nRUN \\\n", `${"<<A ".repeat(1000)}\\\n`),
  "a heredoc without end": fill("FROM a\nRUN <<EOF\n", "EO\n"),
  "many heredocs": fill("FROM a\n", "RUN <<A\nA\n"),
  "many quoted heredocs": fill("FROM a\n", "RUN <<'A'\nA\n"),
  "many oddly quoted heredocs": fill("FROM a\n", "RUN <<'A-'\nA-\n"),
  "tabs in a heredoc": fill("FROM a\nCOPY <<-A /\n", "\t\n").replace(/\t\n$/, "A\n"),
  "open brackets": fill("FROM a\nCMD \\\n", `${"[".repeat(1000)}\\\n`),
  "an array of one string": fill('FROM a\nCMD ["\\\n', `${"a".repeat(1000)}\\\n`),
  "dollars before a heredoc": fill("FROM a\nRUN <<A \\\n", `${"${a:-".repeat(100)}\\\n`),
  pairs: fill("FROM a\nENV \\\n", "a=b \\\n"),
  flags: fill("FROM a\nCOPY \\\n", "--exclude=a \\\n"),
  mounts: fill("FROM a\nRUN \\\n", "--mount=target=/a \\\n"),
  durations: fill("FROM a\nHEALTHCHECK --interval=", "1"),
  stages: fill("", "FROM a AS b\n"),
};

describe("a hostile Containerfile", () => {
  it.each(Object.entries(files))("of %s is read in time", (_, text) => {
    const raw = Buffer.from(text);
    const cost = costMilliseconds(() => {
      const { file, problems } = checkContainerfile(raw, "Containerfile");
      if (file !== undefined) imageReferences(file, {});
      expect(problems.length).toBeLessThanOrEqual(limits.containerfileFaults);
    });
    expect(cost).toBeLessThan(deadlineMilliseconds);
  });

  it("that is too large is not read", () => {
    expect(() => parseContainerfile(" ".repeat(size + 1), "f")).toThrow(
      expect.objectContaining({ code: "containerfile-too-large" }),
    );
  });

  it("does not reach the terminal with control characters", () => {
    const { problems } = checkContainerfile("FROM scratch\n\u001b[31mRUN\u202e \u0007x \u009b2J\n", "f");
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it("gets no prototype members for flags and variables", () => {
    expect(checkContainerfile("FROM a\nCOPY --__proto__=x --constructor=y a b", "f").problems).toHaveLength(2);
    const file = parseContainerfile("ARG constructor\nFROM ${__proto__}${constructor}", "f");
    expect(imageReferences(file, {})[0]?.image).toBeUndefined();
  });
});

describe("a hostile word (CF-63)", () => {
  const lookup = (): string => "a".repeat(1 << 20);

  it.each([
    ["doubles", "$A".repeat(1000)],
    ["has a pattern of stars", `\${A##${"*a".repeat(2000)}b}`],
    ["replaces everything", `\${A//a/${"b".repeat(1000)}}`],
  ])("that %s is stopped in time", (_, word) => {
    const cost = costMilliseconds(() => {
      expect(() => expandWord(word, lookup, "\\")).toThrow(expect.objectContaining({ code: "expansion-too-large" }));
    });
    expect(cost).toBeLessThan(deadlineMilliseconds);
  });

  it("shares its budget with the words after it", () => {
    const budget = createExpansionBudget("f:1:1");
    const expandMany = (): void => {
      for (let count = 0; count < 1000; count++) expandWord("$A", lookup, "\\", { budget });
    };
    expect(expandMany).toThrow(expect.objectContaining({ code: "expansion-too-large", subject: "f:1:1" }));
  });

  it("cannot nest without end", () => {
    const nested = "${X:-".repeat(100_000);
    expect(() => expandWord(nested, () => undefined, "\\")).toThrow(
      expect.objectContaining({ code: "substitution-too-deep" }),
    );
    expect(() => expandHeredoc(nested, () => undefined)).toThrow(expect.objectContaining({ kind: "malformed" }));
  });
});

describe("hostile patterns", () => {
  it("of stars on a long name are matched in time", () => {
    const cost = costMilliseconds(() => {
      expect(matchPath(`${"*a".repeat(2000)}b`, "a".repeat(limits.pathLength))).toBe(false);
      const matcher = createIgnoreMatcher([`${"**/".repeat(1000)}b`, `${"*a".repeat(1000)}b`]);
      expect(matcher.ignores("a".repeat(limits.pathLength))).toBe(false);
    });
    expect(cost).toBeLessThan(deadlineMilliseconds);
  });

  it("too many of them are refused", () => {
    expect(() => parseDockerignore("a\n".repeat(limits.ignorePatterns + 1))).toThrow(
      expect.objectContaining({ code: "bad-dockerignore" }),
    );
  });
});
