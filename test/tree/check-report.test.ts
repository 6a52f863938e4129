import * as fs from "node:fs";
import { readFileSync, readdirSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { checkReport, checkStatus, type CheckReport } from "../../src/app/check-report.js";
import { renderCheck } from "../../src/app/render-check.js";
import { lintRules } from "../../src/graph/index.js";
import { load, packageFiles, tool, writeTree, type TreeFiles } from "./tree-fixture.js";

function check(files: TreeFiles, words: readonly string[] = []): CheckReport {
  return checkReport(fs, load(writeTree(files)), words, tool);
}

const head = 'version = "1.2"\n';

function sourceToml(lines: string): TreeFiles {
  const source = `[sources.demo]\nhash = "${"a".repeat(64)}"\n${lines}\n`;
  return packageFiles("user-x", "FROM scratch AS package\n", head + source);
}

const base = { ...packageFiles("core-a", "FROM scratch AS package\n"), ...packageFiles("user-a", "FROM scratch\n") };
const two = '"https://example.org/{file}", "https://mirror.example.com/{file}"';

type Case = readonly [rule: string, bad: TreeFiles, place: readonly [file: string, line: number], good: TreeFiles];

function inFile(rule: string, bad: string, line: number, good: string): Case {
  return [rule, packageFiles("user-x", bad), ["packages/user/x/Containerfile", line], packageFiles("user-x", good)];
}

function inToml(rule: string, bad: string, line: number, good: string): Case {
  return [rule, sourceToml(bad), ["packages/user/x/package.toml", line], sourceToml(good)];
}

const cases: readonly Case[] = [
  inFile("run-network", "FROM scratch\nRUN make\n", 2, "FROM scratch\nRUN --network=none make\n"),
  inFile("run-network", "FROM scratch\nrun --network=host make\n", 2, "FROM scratch\nrun --network=none make\n"),
  [
    "run-network",
    packageFiles("user-x", "FROM scratch\nRUN make\n"),
    ["packages/user/x/Containerfile", 2],
    { ...packageFiles("user-x", "FROM scratch\nRUN make\n"), "stagewright.toml": '[network]\nallow = ["user-x"]\n' },
  ],
  [
    "layering",
    packageFiles("core-x", "FROM scratch\nCOPY --from=stagex/user-a . /\n"),
    ["packages/core/x/Containerfile", 2],
    packageFiles("core-x", "FROM scratch\nCOPY --from=stagex/core-a . /\n"),
  ],
  [
    "layering",
    packageFiles("pallet-x", "FROM stagex/user-a\n"),
    ["packages/pallet/x/Containerfile", 1],
    packageFiles("pallet-x", "FROM stagex/core-a\n"),
  ],
  [
    "layering",
    packageFiles("bootstrap-x", "FROM stagex/core-a\n"),
    ["packages/bootstrap/x/Containerfile", 1],
    packageFiles("bootstrap-x", "FROM scratch\n"),
  ],
  inFile("stage-name", "FROM scratch AS package-y\n", 1, "FROM scratch AS package-x\n"),
  inFile("stage-name", "FROM scratch AS q\nFROM scratch AS a\n", 2, "FROM scratch AS a\nFROM scratch AS package\n"),
  inFile("relative-entrypoint", 'FROM scratch\nENTRYPOINT ["demo"]\n', 2, 'FROM scratch\nENTRYPOINT ["/demo"]\n'),
  inFile("shell-entrypoint", "FROM scratch\nENTRYPOINT demo\n", 2, 'FROM scratch\nENTRYPOINT ["/demo"]\n'),
  inFile(
    "shell-arguments",
    'FROM scratch\nCMD ["/bin/bash", "-ec", "a", "b"]\n',
    2,
    'FROM scratch\nCMD ["/bin/bash", "-ec", "a \\"$@\\"", "x", "b"]\n',
  ),
  inFile(
    "shell-arguments",
    'FROM scratch\nRUN --network=none ["sh","-c","a","b"]\n',
    2,
    'FROM scratch\nRUN --network=none ["sh","script","-c","a","b"]\n',
  ),
  inFile(
    "builder-history",
    "FROM scratch AS base\nARG TARGETARCH\nFROM base AS package\n",
    2,
    "FROM scratch AS build\nARG TARGETARCH\nFROM scratch AS package\nCOPY --from=build / /\n",
  ),
  inFile("builder-history", "FROM scratch\nEXPOSE 80\n", 2, "FROM scratch\n"),
  inFile(
    "argument-value",
    "FROM scratch\nARG VERSIONS\n",
    2,
    "ARG VERSIONS=1\nFROM scratch\nARG VERSIONS\nARG VERSION\n",
  ),
  inFile("outside-image", "FROM debian:12\n", 1, "FROM scratch\nCOPY --from=fetch . /\n"),
  inFile("tree-image-pin", "FROM stagex/core-a:1.0\n", 1, "FROM stagex/core-a:latest\n"),
  inToml("one-mirror", 'file = "f"\nmirrors = ["https://example.org/{file}"]', 10, `file = "f"\nmirrors = [${two}]`),
  inToml(
    "http-only",
    'mirrors = [\n"http://a.example.org/f",\n"http://b.example.org/f"]',
    9,
    `file = "f"\nmirrors = [${two}]`,
  ),
  inToml(
    "same-mirror",
    'mirrors = ["https://a.example.org/f", "https://a.example.org/f"]',
    9,
    `file = "f"\nmirrors = [${two}]`,
  ),
  inToml(
    "archive-suffix",
    'file = "f.tar.gz"\nmirrors = ["https://a.example.org/f.tgz", "https://a.example.org/f.tar.bz2"]',
    10,
    'file = "f.tar.gz"\nmirrors = ["https://a.example.org/f.tgz", "https://a.example.org/{file}"]',
  ),
];

describe.each(cases)("%s", (rule, bad, [file, line], good) => {
  test("is found with file and line", () => {
    const found = check({ ...base, ...bad }).findings.filter((finding) => finding.rule === rule);
    expect(found).toMatchObject([{ file, line, severity: lintRules.find(({ id }) => id === rule)?.severity }]);
  });

  test("is not found in its twin", () => {
    expect(check({ ...base, ...good }).findings.filter((finding) => finding.rule === rule)).toEqual([]);
  });
});

test("argument-name looks at sources with their own version", () => {
  const own = (name: string): TreeFiles =>
    packageFiles(
      "user-x",
      "FROM scratch\n",
      `${head}[sources.${name}]\nversion = "1"\nhash = "${"a".repeat(64)}"\nmirrors = ["https://a.example.org/f", "https://b.example.org/f"]\n`,
    );
  expect(check(own("a-b")).findings).toMatchObject([{ rule: "argument-name", line: 7 }]);
  expect(check(own("a_b")).findings).toEqual([]);
});

test("every rule has a case here and a page in the docs, and every page a rule", () => {
  const ids = lintRules.map(({ id }) => id);
  expect(ids.filter((id) => id !== "argument-name" && !cases.some(([rule]) => rule === id))).toEqual([]);
  const pages = readdirSync(new URL("../../docs/rules", import.meta.url)).sort();
  expect(pages).toEqual(ids.map((id) => `${id}.md`).sort());
  for (const { id, severity, title } of lintRules) {
    const page = readFileSync(new URL(`../../docs/rules/${id}.md`, import.meta.url), "utf8");
    expect(page).toContain(`# ${id}\n\nSeverity: ${severity}. Rule: ${title}.\n`);
  }
});

describe("silencing", () => {
  const bad = packageFiles("user-x", "FROM scratch\nRUN make\nRUN make\n");
  const ignore = (more: string): TreeFiles => ({
    ...bad,
    "stagewright.toml": `[[check.ignore]]\nrule = "run-network"\nreason = "it only looks"\n${more}`,
  });

  test("TR-42: with a reason, for all packages or some", () => {
    const all = check(ignore(""));
    expect(all.findings).toEqual([]);
    expect(all.silenced).toEqual([{ rule: "run-network", reason: "it only looks", count: 2 }]);
    expect(check(ignore('packages = ["user-x"]\n')).findings).toEqual([]);
    expect(check({ ...base, ...ignore('packages = ["user-a"]\n') }).findings).toMatchObject([
      { rule: "run-network" },
      { rule: "run-network" },
      { rule: "unused-ignore", severity: "warning", file: "stagewright.toml", line: 1 },
    ]);
  });

  test("TR-42: a rule that does not exist is an error", () => {
    const files = { "stagewright.toml": '[[check.ignore]]\nrule = "run-netwrok"\nreason = "r"\n' };
    const report = check(files);
    expect(report.findings).toMatchObject([{ rule: "unknown-rule", line: 1, hint: "did you mean run-network?" }]);
    expect(checkStatus(report)).toBe(2);
  });

  test("TR-42: faults of the tree's form cannot be silenced", () => {
    const files = {
      "packages/core/x/Containerfile": "FROM scratch\n",
      "stagewright.toml": '[[check.ignore]]\nrule = "missing-package-toml"\nreason = "r"\n',
    };
    expect(check(files).findings).toMatchObject([{ rule: "missing-package-toml" }, { rule: "unknown-rule" }]);
  });
});

test("exit status: 0 for warnings, 1 for a broken rule, 2 for a fault of form", () => {
  expect(checkStatus(check(packageFiles("user-x", "FROM debian\n")))).toBe(0);
  const broken = check(packageFiles("user-x", "FROM scratch\nRUN make\n"));
  expect([checkStatus(broken), broken.reasons]).toEqual([1, ["1 finding is an error"]]);
  expect(checkStatus(check({ "packages/core/x/Containerfile": "FROM scratch\n" }))).toBe(2);
});

test("a named target alone is checked", () => {
  const files = { ...packageFiles("user-x", "FROM debian\n"), ...packageFiles("user-y", "FROM debian\n") };
  expect(check(files, ["user-y"]).findings).toMatchObject([{ file: "packages/user/y/Containerfile" }]);
});

test("text", () => {
  const text = renderCheck(check(packageFiles("user-x", "FROM scratch\nRUN make\n")));
  expect(text).toContain("packages/user/x/Containerfile:2:1: error: expected RUN --network=none");
  expect(text).toMatch(/1 errors, 0 warnings, 0 silenced\n$/);
});
