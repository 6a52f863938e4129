import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { flagValue, parseContainerfile, parsePackageToml } from "../../src/tree/index.js";
import { assembleHex0 } from "./reference-assembler.js";
import { canRunRungs, sourceOf, specification, stage0, Workshop } from "./rungs.js";

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
  const file = parseContainerfile(readFileSync(join(stage0, "Containerfile")), "Containerfile");
  const steps = file.stages.flatMap(({ instructions }) => instructions.filter((each) => each.keyword === "RUN"));

  it("runs every step without a network, and without a shell (BS-5)", () => {
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) expect([flagValue(step, "network"), step.command.form]).toEqual(["none", "exec"]);
  });

  /** The steps of the Containerfile, in a folder instead of a root; the index of the one that fails. */
  function runSteps(root: string): number {
    return steps.findIndex(({ command }) => {
      if (command.form !== "exec") throw new Error("expected the exec form");
      const [program = "", ...args] = command.argv.map((path) => root + path);
      return spawnSync(program, args, { env: {} }).status !== 0;
    });
  }

  it.skipIf(!canRunRungs())("stops the build where a fixed point does not hold (BS-2, BS-16)", () => {
    const workshop = new Workshop();
    try {
      for (const name of ["seed", ...rungs.map((rung) => `${rung}.hex0`)])
        cpSync(join(stage0, name), workshop.path(name));
      expect(runSteps(workshop.folder)).toBe(-1);
      writeFileSync(workshop.path("hex0.hex0"), sourceOf("hex0").toString("utf8").replace("\n58 ", "\n90 "));
      expect(steps[runSteps(workshop.folder)]?.command).toMatchObject({ argv: ["/same", "/seed", "/hex0"] });
    } finally {
      workshop.close();
    }
  });

  it("says in its description how large the seed is", () => {
    const size = readFileSync(join(stage0, "seed")).length;
    const fileName = "packages/bootstrap/stage0/package.toml";
    const { description } = parsePackageToml(readFileSync(join(stage0, "package.toml")), fileName);
    expect(description).toContain(`a seed of ${size} bytes`);
  });
});
