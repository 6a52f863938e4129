import { describe, expect, test } from "vitest";

import { graphReport, graphStatus, renderGraphDot } from "../../src/app/graph-report.js";
import { renderGraphTable, renderGraphTree } from "../../src/app/render-graph.js";
import { load, packageFiles, tool, writeTree, type TreeFiles } from "./tree-fixture.js";

const scratch = "FROM scratch AS package\n";

function problemsOf(files: TreeFiles): readonly object[] {
  return load(writeTree(files)).graph.problems;
}

describe("edges", () => {
  test("TR-51: FROM, COPY --from and RUN --mount, each target once, in any spelling", () => {
    const root = writeTree({
      ...packageFiles("bootstrap-a", scratch),
      ...packageFiles("core-b", scratch),
      ...packageFiles("core-c", scratch),
      ...packageFiles("core-d", scratch),
      ...packageFiles("core-e", scratch),
      ...packageFiles(
        "user-z",
        `ARG BASE=core-b
  from  --platform=linux/amd64   stagex/\${BASE}:latest AS build
COPY --chmod=0755 \\
  # a comment between
  --from=docker.io/stagex/core-c . /
copy --from=stagex/core-c x /
RUN --mount=type=bind,from=stagex/core-d,target=/d <<EOF
COPY --from=stagex/core-nothing . /
FROM stagex/core-nothing
EOF
FROM stagex/core-e AS unused
FROM scratch
COPY --from=build /out /
COPY --from=0 /more /
`,
      ),
    });
    const { graph } = load(root);
    expect(graph.problems).toEqual([]);
    expect(graph.targets.get("user-z")?.dependencies).toEqual(["core-b", "core-c", "core-d"]);
    expect(graph.edges).toBe(3);
  });

  test("TR-52: a subpackage depends only on what its stage needs", () => {
    const root = writeTree({
      ...packageFiles("core-a", scratch),
      ...packageFiles("core-b", scratch),
      ...packageFiles(
        "core-many",
        "FROM stagex/core-a AS build\nFROM scratch AS package-one\nCOPY --from=build / /\nFROM stagex/core-b AS package-two\n",
        'version = "1"\nsubpackages = ["one", "two"]\n',
      ),
    });
    const { graph } = load(root);
    expect([...graph.targets.keys()]).toEqual(["core-a", "core-b", "core-one", "core-two"]);
    expect(graph.targets.get("core-one")).toMatchObject({ dependencies: ["core-a"], buildStage: "package-one" });
    expect(graph.targets.get("core-two")?.dependencies).toEqual(["core-b"]);
  });

  test("TR-50: the prefix is the tree's own, and others are no targets", () => {
    const files = { ...packageFiles("core-a", scratch), ...packageFiles("user-b", "FROM example.org/x/core-a\n") };
    expect(load(writeTree(files)).graph.edges).toBe(0);
    const root = writeTree({ ...files, "stagewright.toml": 'prefix = "example.org/x"\n' });
    expect(load(root).graph.targets.get("user-b")?.dependencies).toEqual(["core-a"]);
  });

  test("TR-54: the same name in two stages is two targets", () => {
    const root = writeTree({
      ...packageFiles("core-go", scratch),
      ...packageFiles("pallet-go", "FROM stagex/core-go\n"),
    });
    expect(load(root).graph).toMatchObject({
      edges: 1,
      order: ["core-go", "pallet-go"],
      longestPath: ["core-go", "pallet-go"],
    });
  });

  test("TR-32: version_from is an edge of its own kind, and carries the version", () => {
    const root = writeTree({
      ...packageFiles("core-gcc", scratch, 'version = "15.2"\n'),
      ...packageFiles("pallet-gcc", scratch, 'version_from = "core-gcc"\n'),
      ...packageFiles("pallet-more", scratch, 'version_from = "pallet-gcc"\n'),
    });
    const { graph } = load(root);
    expect(graph).toMatchObject({ edges: 0, versionEdges: 2, problems: [] });
    expect(graph.targets.get("pallet-more")).toMatchObject({ version: "15.2", versionFrom: "pallet-gcc" });
  });
});

describe("faults", () => {
  const good = packageFiles("core-good", scratch);

  test.each<[string, TreeFiles, object]>([
    [
      "TR-3: a Containerfile without package.toml",
      { "packages/core/lost/Containerfile": scratch },
      { rule: "missing-package-toml", file: "packages/core/lost/Containerfile", line: 1 },
    ],
    [
      "TR-4: a package.toml without Containerfile",
      { "packages/core/lost/package.toml": packageFiles("core-lost", "")["packages/core/lost/package.toml"] ?? "" },
      { rule: "missing-containerfile", file: "packages/core/lost/package.toml" },
    ],
    [
      "TR-2: an unknown stage",
      { "packages/kernel/x/Containerfile": scratch },
      { rule: "unknown-stage", file: "packages/kernel" },
    ],
    [
      "TR-2: a bad name",
      { "packages/core/BAD/Containerfile": scratch },
      { rule: "bad-name", file: "packages/core/BAD" },
    ],
    [
      "TR-55: an unknown target",
      packageFiles("user-x", "FROM scratch\nCOPY --from=stagex/core-godo . /\n"),
      { rule: "unknown-target", file: "packages/user/x/Containerfile", line: 2, hint: "did you mean core-good?" },
    ],
    [
      "TR-55: a bare name",
      packageFiles("user-x", "FROM stagex/good\n"),
      { rule: "unknown-target", line: 1, hint: "did you mean core-good?" },
    ],
    [
      "TR-55: a package that is only subpackages",
      {
        ...packageFiles("core-many", "FROM scratch AS package-one\n", 'subpackages = ["one"]\n'),
        ...packageFiles("user-x", "FROM stagex/core-many\n"),
      },
      { rule: "unknown-target", hint: "the package core-many has the targets core-one" },
    ],
    [
      "TR-55: an unknown target in a stage that nothing needs",
      packageFiles("user-x", "FROM stagex/core-gone AS a\nFROM scratch\n"),
      { rule: "unknown-target", line: 1 },
    ],
    [
      "TR-53: a subpackage without its stage",
      packageFiles("core-many", "FROM scratch AS package-one\n", 'subpackages = [\n"one",\n"two"]\n'),
      { rule: "missing-stage", file: "packages/core/many/package.toml", line: 8 },
    ],
    [
      "TR-56: two packages that make one target",
      packageFiles("core-many", "FROM scratch AS package-good\n", 'subpackages = ["good"]\n'),
      { rule: "duplicate-target", file: "packages/core/many/package.toml", line: 6 },
    ],
    [
      "TR-32: version_from an unknown target",
      packageFiles("pallet-x", scratch, 'version_from = "core-goood"\n'),
      { rule: "bad-version-from", line: 6, hint: "did you mean core-good?" },
    ],
    [
      "TR-32: version_from that goes round",
      packageFiles("pallet-x", scratch, 'version_from = "pallet-x"\n'),
      { rule: "bad-version-from", message: "version_from goes round: pallet-x → pallet-x" },
    ],
    [
      "TR-32: version_from a package without version",
      {
        ...packageFiles("core-none", scratch, ""),
        ...packageFiles("pallet-x", scratch, 'version_from = "core-none"\n'),
      },
      { rule: "bad-version-from", file: "packages/pallet/x/package.toml" },
    ],
    [
      "TR-43: a network for nobody",
      { "stagewright.toml": '[network]\nallow = ["core-goody"]\n' },
      { rule: "unknown-target", file: "stagewright.toml", hint: "did you mean core-good?" },
    ],
    [
      "a Containerfile with a fault",
      packageFiles("user-x", "FROM scratch\nCOPPY a b\n"),
      { file: "packages/user/x/Containerfile", line: 2, severity: "error" },
    ],
  ])("%s", (_title, files, expected) => {
    const { graph } = load(writeTree({ ...good, ...files }));
    expect(graph.problems).toMatchObject([expected]);
    expect(graph.targets.has("core-good")).toBe(true);
  });

  test("a fault in a Containerfile shows its line with a caret", () => {
    const [problem] = problemsOf(packageFiles("user-x", "FROM scratch\nCOPPY a b\n"));
    expect(problem).toHaveProperty("excerpt", expect.stringContaining("COPPY a b"));
    expect(problem).toHaveProperty("excerpt", expect.stringContaining("^"));
  });

  test("TR-57: a cycle is named in full, and the rest keeps its order", () => {
    const { graph } = load(
      writeTree({
        ...good,
        ...packageFiles("user-a", "FROM stagex/user-b\n"),
        ...packageFiles("user-b", "FROM scratch\n\nCOPY --from=stagex/user-c . /\n"),
        ...packageFiles("user-c", "FROM stagex/user-a\n"),
        ...packageFiles("user-on-top", "FROM stagex/user-a\n"),
        ...packageFiles("user-self", "FROM stagex/user-self\n"),
      }),
    );
    expect(graph.problems).toMatchObject([
      { rule: "cycle", file: "packages/user/a/Containerfile", line: 1 },
      { rule: "cycle", file: "packages/user/self/Containerfile", line: 1 },
    ]);
    expect(graph.problems[0]?.message).toMatch(/: user-a → user-b → user-c → user-a$/);
    expect(graph.problems[1]?.message).toMatch(/: user-self → user-self$/);
    expect(graph.order).toEqual(["core-good"]);
  });

  test("all faults of all packages come in one run, sorted", () => {
    const rules = problemsOf({
      "packages/core/a/package.toml": "[package\n",
      "packages/core/a/Containerfile": "FROM\n",
      "packages/core/b/Containerfile": scratch,
      ...packageFiles("core-c", "FROM stagex/core-q\n", 'colour = 1\nversion = "1"\n'),
      "stagewright.toml": "x = 1\n",
    });
    expect(rules).toMatchObject([
      { file: "packages/core/a/Containerfile" },
      { rule: "bad-toml", file: "packages/core/a/package.toml" },
      { rule: "missing-package-toml", file: "packages/core/b/Containerfile" },
      { rule: "unknown-target", file: "packages/core/c/Containerfile" },
      { rule: "unknown-key", file: "packages/core/c/package.toml", line: 6 },
      { rule: "unknown-key", file: "stagewright.toml" },
    ]);
  });

  test("no tree at all is an error that says what to do", () => {
    expect(() => load("/nonexistent/tree")).toThrow(expect.objectContaining({ code: "no-tree", kind: "malformed" }));
  });
});

describe("reports", () => {
  const root = (): string =>
    writeTree({
      ...packageFiles("bootstrap-a", scratch, 'platforms = ["linux/386"]\n'),
      ...packageFiles("core-b", "FROM stagex/bootstrap-a\n"),
      ...packageFiles("user-b", "FROM stagex/core-b\nCOPY --from=stagex/bootstrap-a . /\n"),
    });

  test("graph --json has the members of the contract", () => {
    const report = graphReport(load(root()), [], tool);
    expect(report).toMatchObject({ tool, edges: 3, versionEdges: 0, problems: [] });
    expect(report.longestPath).toEqual(["bootstrap-a", "core-b", "user-b"]);
    expect(report.targets[0]).toEqual({
      id: "bootstrap-a",
      stage: "bootstrap",
      name: "a",
      package: "packages/bootstrap/a",
      version: null,
      platforms: ["linux/386"],
      dependencies: [],
      versionFrom: null,
    });
    expect(graphStatus(report)).toBe(0);
  });

  test("TR-58: targets by id or by a name of one stage", () => {
    const tree = load(root());
    expect(graphReport(tree, ["a"], tool).targets.map(({ id }) => id)).toEqual(["bootstrap-a"]);
    expect(graphReport(tree, ["core-b"], tool).targets.map(({ id }) => id)).toEqual(["bootstrap-a", "core-b"]);
    expect(() => graphReport(tree, ["b"], tool)).toThrow(/core-b, user-b/);
    expect(() => graphReport(tree, ["core-c"], tool)).toThrow(
      expect.objectContaining({ code: "unknown-target", hint: "did you mean core-b?" }),
    );
  });

  test("an error makes exit status 2 and a reason, a warning neither", () => {
    const faulty = graphReport(load(writeTree({ "packages/core/x/Containerfile": scratch })), [], tool);
    expect([graphStatus(faulty), faulty.reasons]).toEqual([2, ["the tree has 1 error"]]);
    const warned = load(writeTree(packageFiles("core-x", scratch, 'version = "1"\n')));
    expect(graphStatus(graphReport(warned, [], tool))).toBe(0);
  });

  test("text and dot", () => {
    const report = graphReport(load(root()), [], tool);
    expect(renderGraphTable(report)).toContain("core-b       1.2      linux/amd64  1\n");
    expect(renderGraphTree(report)).toMatch(/^user-b\n├─ bootstrap-a\n└─ core-b\n {3}└─ bootstrap-a\n\n/);
    expect(renderGraphDot(report)).toContain('  "core-b" -> "bootstrap-a";\n');
  });
});
