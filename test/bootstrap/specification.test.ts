import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { assembleHex0 } from "./reference-assembler.js";
import { sourceOf, specification, stage0 } from "./rungs.js";

const rungs = ["hex0", "same", "hex1"];

describe("docs/spec/bootstrap.md", () => {
  it("has a row for each source, with its lines, bytes and hash", () => {
    const rows = [
      ...specification().matchAll(/^\| [^|]+ \| `(\w+)\.hex0` \| (\d+) \| (\d+) \| `([0-9a-f]{64})` \|$/gm),
    ];
    const expected = rungs.map((rung) => {
      const bytes = assembleHex0(sourceOf(rung)) ?? Buffer.alloc(0);
      const lines = sourceOf(rung)
        .toString("utf8")
        .split("\n")
        .filter((line) => line.trim() !== "");
      return [rung, `${lines.length}`, `${bytes.length}`, createHash("sha256").update(bytes).digest("hex")];
    });
    expect(rows.map((row) => row.slice(1))).toEqual(expected);
    expect(
      readdirSync(stage0)
        .filter((name) => name.endsWith(".hex0"))
        .sort(),
    ).toEqual(rungs.map((rung) => `${rung}.hex0`).sort());
  });

  it("defines each rule once, and knows each that a test or a source cites", () => {
    const defined = [...specification().matchAll(/\*\*(BS-\d+)\*\*/g)].map(([, rule]) => rule);
    expect(new Set(defined).size).toBe(defined.length);
    const here = new URL("./", import.meta.url);
    const texts = readdirSync(here).map((name) => readFileSync(new URL(name, here), "utf8"));
    const cited = texts.flatMap((text) => text.match(/BS-\d+/g) ?? []);
    expect([...new Set(cited)].filter((rule) => !defined.includes(rule))).toEqual([]);
  });
});

describe("the package", () => {
  it("runs every step without a network, and without a shell", () => {
    const steps = readFileSync(`${stage0}Containerfile`, "utf8").match(/^RUN .*$/gm) ?? [];
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.filter((step) => !/^RUN --network=none \["\/\w+"(?:, "[\w./]+")*\]$/.test(step))).toEqual([]);
  });

  it("says in its description how large the seed is", () => {
    const size = readFileSync(`${stage0}seed`).length;
    expect(readFileSync(`${stage0}package.toml`, "utf8")).toContain(`a seed of ${size} bytes`);
  });
});
