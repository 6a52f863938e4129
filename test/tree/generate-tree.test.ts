import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { checkReport } from "../../src/app/check-report.js";
import { generateTree } from "../../tools/generate-tree.js";
import { load, temporaryFolder, tool } from "./tree-fixture.js";

function contentOf(root: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.toml$|Containerfile$/.test(name)) hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  }
  return hash.digest("hex");
}

test("one seed gives one tree, another seed another", () => {
  const [a, b, c] = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
  generateTree(a, { targets: 60, seed: 7 });
  generateTree(b, { targets: 60, seed: 7 });
  generateTree(c, { targets: 60, seed: 8 });
  expect(contentOf(a)).toBe(contentOf(b));
  expect(contentOf(a)).not.toBe(contentOf(c));
});

test("the graph finds every target and edge that was made, and nothing to complain of", () => {
  const root = temporaryFolder();
  const made = generateTree(root, { targets: 500, seed: 1 });
  const tree = load(root);
  expect(tree.graph.problems).toEqual([]);
  expect([...tree.graph.targets.keys()]).toEqual([...made.targets].sort());
  expect(tree.graph.targets.size).toBe(500);
  expect(tree.graph.edges).toBe(made.edges);
  const errors = checkReport(fs, tree, [], tool).findings.filter(({ severity }) => severity === "error");
  expect(errors).toEqual([]);
});
