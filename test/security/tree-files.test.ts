/** Hostile trees: files that block, lead out, flood or lie. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { renderProblemText } from "../../src/app/render-problem.js";
import { renderGraphTree } from "../../src/app/render-graph.js";
import { graphReport } from "../../src/app/graph-report.js";
import { checkPackageToml, checkTreeConfig, expandSource, nearestNames } from "../../src/tree/index.js";
import { load, packageFiles, temporaryFolder, tool, writeFiles, writeTree } from "../tree/tree-fixture.js";

const place = { stage: "core", name: "demo", folder: "packages/core/demo" } as const;
const good = packageFiles("core-good", "FROM scratch\n");

function toml(text: string): ReturnType<typeof checkPackageToml> {
  return checkPackageToml(Buffer.from(text), place);
}

describe("files that are none (TR-5, TR-6)", () => {
  test("links out of the tree are refused and never read", () => {
    const outside = temporaryFolder();
    writeFiles(outside, {
      "secret/Containerfile": "FROM secret\n",
      "secret/package.toml": "secret = 1\n",
      x: "FROM secret\n",
    });
    const root = writeTree({ ...good, ...packageFiles("user-linked", "FROM scratch\n") });
    symlinkSync(join(outside, "secret"), join(root, "packages/core/linked"));
    symlinkSync(outside, join(root, "packages/pallet"));
    mkdirSync(join(root, "packages/user/file"));
    symlinkSync(join(outside, "x"), join(root, "packages/user/file/Containerfile"));
    const { graph } = load(root);
    expect(graph.problems.map(({ rule, file }) => `${rule} ${file}`)).toEqual(
      [
        "symbolic-link packages/core/linked",
        "symbolic-link packages/pallet",
        "missing-package-toml packages/user/file/Containerfile",
        "not-a-file packages/user/file/Containerfile",
      ].sort((a, b) => ((a.split(" ")[1] ?? "") < (b.split(" ")[1] ?? "") ? -1 : 1)),
    );
    expect(JSON.stringify(graph.problems)).not.toContain("secret");
    expect(graph.targets.has("core-good")).toBe(true);
  });

  test("a pipe does not block", () => {
    const root = writeTree(good);
    mkdirSync(join(root, "packages/user/pipe"), { recursive: true });
    execFileSync("mkfifo", [join(root, "packages/user/pipe/package.toml")]);
    writeFileSync(join(root, "packages/user/pipe/Containerfile"), "FROM scratch\n");
    expect(load(root).graph.problems).toMatchObject([{ rule: "not-a-file", file: "packages/user/pipe/package.toml" }]);
  });

  test("a file of a terabyte is not read", () => {
    const root = writeTree({ ...good, ...packageFiles("user-big", "FROM scratch\n") });
    truncateSync(join(root, "packages/user/big/Containerfile"), 2 ** 40);
    expect(load(root).graph.problems).toMatchObject([{ rule: "file-too-large" }]);
  });

  test("names of folders that are no names, line ends and terminal codes included", () => {
    const root = writeTree(good);
    for (const name of ["a b", "..x", "x\n::error::", "\u001b[2J", "-x", "a..b"])
      mkdirSync(join(root, "packages/user", name), { recursive: true });
    const { problems } = load(root).graph;
    expect(problems).toHaveLength(6);
    for (const problem of problems) expect(renderProblemText(problem)).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    for (const problem of problems) expect(problem.file).not.toContain("\n");
  });
});

describe("package.toml", () => {
  test("nesting is refused before it can exhaust the stack", () => {
    expect(toml(`a = ${"[".repeat(100_000)}`).problems).toMatchObject([{ rule: "bad-toml" }]);
    expect(toml(`a = ${"{a=".repeat(100_000)}`).problems).toMatchObject([{ rule: "bad-toml" }]);
    expect(toml(`${"a.".repeat(5_000)}a = 1\n`).problems[0]?.severity).toBe("error");
  });

  test("keys of JavaScript's own objects are ordinary keys", () => {
    const hash = "a".repeat(64);
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const sources = names.map(
      (name) => `[sources.${name}]\nhash = "${hash}"\nfile = "${name}"\nmirrors = ["https://example.org/f"]\n`,
    );
    const check = toml(
      `[package]\nname = "demo"\nlicense = "MIT"\nwebsite = "https://example.org"\n${sources.join("")}`,
    );
    expect(check.package?.sources.map(({ name }) => name)).toEqual(names);
    expect(({} as Record<string, unknown>)["hash"]).toBeUndefined();
    expect(toml('__proto__ = { name = "demo" }\n').package).toBeUndefined();
  });

  test("no file name leaves fetch/, whatever version and format are", () => {
    const part = fc.constantFrom("..", "/", ".", "\\", "{version}", "{format}", "a", "%2f", "\u0000", "?", "#", "~");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), fc.array(part, { maxLength: 3 }), (file, version) => {
        const text = `[package]\nname = "demo"\nversion = ${JSON.stringify(version.join(""))}\n[sources.a]\nhash = "${"a".repeat(64)}"\nformat = "t"\nfile = ${JSON.stringify(file.join(""))}\nmirrors = ["https://example.org/f"]\n`;
        const { package: pkg } = toml(text);
        for (const source of pkg?.sources ?? []) {
          if (pkg?.version === undefined) continue;
          const { fileName } = expandSource(pkg, source, pkg.version);
          expect(fileName).not.toMatch(/^\.{0,2}$|[/\u0000]/);
        }
      }),
    );
  });

  test("never throws, and always blames a line of the file", () => {
    const piece = fc.constantFrom(
      "[package]",
      "[sources.a]",
      "name",
      "mirrors",
      "=",
      '"demo"',
      '"{version}"',
      "[",
      "]",
      "\n",
      "1",
      "{",
      "}",
      ",",
      "version",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join(" ");
        for (const { line } of toml(text).problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split("\n").length);
        }
        checkTreeConfig(Buffer.from(text));
      }),
    );
  });

  test("a license as long as the file, and one of parentheses, take no time", () => {
    const started = performance.now();
    for (const license of ["MIT AND ".repeat(400_000), "(".repeat(2000), "MIT OR ".repeat(280) + "MIT"]) {
      toml(`[package]\nname = "demo"\nlicense = "${license}"\nwebsite = "https://example.org"\n`);
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("mirrors that a slow pattern would choke on take no time", () => {
    const started = performance.now();
    const mirror = `https://${"a".repeat(50_000)}!/${"{version}".repeat(20_000)} `;
    toml(
      `[package]\nname = "demo"\nversion = "1"\n[sources.a]\nhash = "a"\nmirrors = ["${mirror}", "${"apt-source:a=".repeat(50_000)}"]\n`,
    );
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("a file of unknown keys is told in one go, in reasonable time", () => {
    const started = performance.now();
    const keys = Array.from({ length: 20_000 }, (_, index) => `versio${String(index)} = 1\n`).join("");
    expect(toml(`[package]\nname = "demo"\n${keys}`).problems.length).toBeGreaterThan(19_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("the tree as a whole", () => {
  test("guesses are bounded by the length of the word", () => {
    const started = performance.now();
    const names = Array.from({ length: 20_000 }, (_, index) => `core-${String(index).repeat(12).slice(0, 60)}`);
    expect(nearestNames("x".repeat(1_000_000), names)).toEqual([]);
    for (let count = 0; count < 5; count++) nearestNames("core-1212121212121212121212", names);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("many subpackages of many stages are refused before they multiply", () => {
    const names = Array.from({ length: 1000 }, (_, index) => `s${String(index)}`);
    const files = packageFiles(
      "core-many",
      names.map((name) => `FROM scratch AS package-${name}\n`).join(""),
      `subpackages = ${JSON.stringify(names)}\n`,
    );
    expect(load(writeTree(files)).graph.problems).toMatchObject([{ rule: "too-many-stages" }]);
  });

  test("a long path is drawn without growing to its square", () => {
    const files = Object.assign(
      {},
      ...Array.from({ length: 300 }, (_, index) =>
        packageFiles(
          `user-p${String(index)}`,
          index === 0 ? "FROM scratch\n" : `FROM stagex/user-p${String(index - 1)}\n`,
        ),
      ),
    ) as Record<string, string>;
    const text = renderGraphTree(graphReport(load(writeTree(files)), [], tool));
    expect(text.split("\n").filter((line) => line.includes("user-p")).length).toBeLessThan(320);
    expect(text.length).toBeLessThan(60_000);
  });
});
