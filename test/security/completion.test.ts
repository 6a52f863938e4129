/** Completion asks the tree in the present folder, which anybody may have written: nothing of it may be run. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { command, createTree, type TreeFixture } from "../cli/tree-fixture.js";

let tree: TreeFixture;

beforeEach(() => {
  tree = createTree();
  tree.addPackage("user", "greeting", "FROM scratch AS package\n");
  tree.write({
    "packages/user/x$(touch${IFS}pwned)/Containerfile": "FROM scratch AS package\n",
    "packages/user/greeting-2/package.toml": 'user-$(touch${IFS}pwned) = "`touch pwned`"\n',
    "user-$(touch${IFS}pwned)/word": "",
  });
});

afterEach(() => {
  tree.remove();
});

function complete(word: string): readonly string[] {
  const script = [
    'stagewright() { "$NODE" "$COMMAND" "$@"; }',
    tree.run("completion", "bash").stdout,
    `COMP_WORDS=(stagewright build '${word}'); COMP_CWORD=2`,
    "_stagewright",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const env = { PATH: process.env["PATH"], HOME: tree.root, NODE: process.execPath, COMMAND: command };
  const options = { cwd: tree.root, env: { ...env, STAGEWRIGHT_STORE: join(tree.root, "../store") } };
  return spawnSync("bash", ["-c", script], { ...options, encoding: "utf8" })
    .stdout.trim()
    .split("\n");
}

test("bash offers targets and runs nothing that a name or a fault of the tree says", () => {
  expect(complete("")).toEqual(["user-greeting"]);
  expect(complete("user-g")).toEqual(["user-greeting"]);
  expect(complete("--no")).toEqual(["--no-cache"]);
  expect(fs.readdirSync(tree.root)).not.toContain("pwned");
});

test("what fish asks has no quote that ends its own", () => {
  const last = tree.run("completion", "fish").stdout.trim().split("\n").at(-1) ?? "";
  expect(last).toMatch(/^complete -c stagewright -f -n 'not __fish_use_subcommand' -a '\([^'$]+\)'$/);
});
