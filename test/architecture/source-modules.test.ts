/** The reader that the architecture tests rest on sees every form of an import and of an effect. */
import { describe, expect, it } from "vitest";

import { effectfulGlobals } from "./import-table.js";
import { parseModule } from "./source-modules.js";

function imports(text: string): (string | boolean | undefined)[][] {
  const found = parseModule("tree/a/b.ts", text, effectfulGlobals).imports;
  return found.map(({ specifier, target, typeOnly, names }) => [specifier, target, typeOnly, names.join(" ")]);
}

function globals(text: string): string[] {
  return parseModule("tree/a.ts", text, effectfulGlobals).globals.map((use) => `${use.name}:${String(use.line)}`);
}

describe("imports", () => {
  it.each([
    ['import "../x.js";', ["../x.js", "tree/x.ts", false, "*"]],
    ['import { y as z, w } from "./x.js";', ["./x.js", "tree/a/x.ts", false, "y w"]],
    ['import * as fs from "node:fs";', ["node:fs", undefined, false, "*"]],
    ['import type { Stats } from "node:fs";', ["node:fs", undefined, true, "Stats"]],
    ['import { type Stats, type Dir } from "node:fs";', ["node:fs", undefined, true, "Stats Dir"]],
    ['import { type Stats, openSync } from "node:fs";', ["node:fs", undefined, false, "Stats openSync"]],
    ['export * from "../../oci/index.js";', ["../../oci/index.js", "oci/index.ts", false, "*"]],
    ['export { y } from "../x.js";', ["../x.js", "tree/x.ts", false, "y"]],
    ['const x = await import("../../../test/x.js");', ["../../../test/x.js", "../test/x.ts", false, "*"]],
    ['let x: import("../x.js").Y;', ["../x.js", "tree/x.ts", true, "*"]],
  ])("%s", (text, expected) => {
    expect(imports(text)).toEqual([expected]);
  });
});

describe("effects without an import", () => {
  it.each([
    ["process.exit(1);", ["process:1"]],
    ["\nconst { env } = process;", ["process:2"]],
    ["const now = Date.now();", ["Date.now:1"]],
    ["const now = new Date();", ["new Date():1"]],
    ["setTimeout(() => 1, 2);", ["setTimeout:1"]],
    ["names.sort((a, b) => a.localeCompare(b));", ["localeCompare:1"]],
    ["const r = Math.random();", ["Math.random:1"]],
    ["const t = AbortSignal.timeout(1);", ["AbortSignal.timeout:1"]],
    ["console.log(1);", ["console:1"]],
    ["globalThis.process.exit();", ["globalThis:1"]],
  ])("%s", (text, expected) => {
    expect(globals(text)).toEqual(expected);
  });

  it.each([
    "const then = new Date(0);",
    "state.process();",
    "const settings = { process: 1 };",
    "function f(process: number) { return process; }",
    "const x = Math.max(1, 2);",
    "interface A { readonly performance: number }",
  ])("none in %s", (text) => {
    expect(globals(text)).toEqual([]);
  });
});
