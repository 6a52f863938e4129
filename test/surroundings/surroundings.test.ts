/**
 * What a RUN sees here is what it sees in BuildKit, item by item. The probe runs once for each variant; expected.json
 * holds what a real BuildKit gave.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { buildCase } from "../parity/engine.js";
import { readImage } from "../parity/image.js";
import { layOutCase, layOutTools } from "../parity/lay-out.js";
import { readMember } from "./member.js";
import {
  parseSurroundings,
  resultName,
  type Surroundings,
  surroundingsCase,
  type Variant,
  variants,
} from "./surroundings.js";

const here = dirname(fileURLToPath(import.meta.url));
const expected = JSON.parse(fs.readFileSync(join(here, "expected.json"), "utf8")) as {
  variants: Record<Variant, Surroundings>;
};
const asRoot = process.getuid?.() === 0;

/** Inherited from whatever runs the build, in BuildKit too: compared with this process, not with the record. */
const inherited: Readonly<Record<string, string>> = {
  limits: "/proc/self/limits",
  "oom-score": "/proc/self/oom_score_adj",
};

/** Items that cannot be the same without root (PA-25 lists why); the test of the rootless engine has them apart. */
const onlyAsRoot = new Set(["id-maps", "status", "device-use", "attempts", "syscalls", "mounts", "writable"]);

let work = "";

beforeAll(() => {
  work = fs.mkdtempSync(join(tmpdir(), "stagewright-surroundings-"));
});

afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

async function probe(variant: Variant): Promise<Surroundings> {
  const parityCase = surroundingsCase(variant);
  const laidOut = layOutCase(parityCase, join(work, variant), layOutTools(join(work, "tools")));
  const output = join(work, variant, "out");
  await buildCase({ ...laidOut, parityCase, images: {}, output, store: join(work, "store") });
  return parseSurroundings(readMember(readImage(output), resultName));
}

/** Which of the hidden paths there are is the kernel's affair: an absent one is as good as a masked one. */
function comparableHidden(lines: readonly string[] | undefined): string[] | undefined {
  return lines?.map((line) => line.replace(/ (?:absent|folder 0|device 1,3 0)$/, " hidden"));
}

function inheritedLines(file: string): string[] {
  const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => line.slice(0, 66));
}

for (const variant of Object.keys(variants) as Variant[]) {
  describe(`what a RUN sees: ${variant}`, () => {
    let found: Surroundings = {};

    beforeAll(async () => {
      found = await probe(variant);
    });

    for (const [item, lines] of Object.entries(expected.variants[variant])) {
      if (onlyAsRoot.has(item) && !asRoot) continue;
      it(item, () => {
        const file = inherited[item];
        if (file !== undefined) expect(found[item]).toEqual(inheritedLines(file));
        else if (item === "hidden") expect(comparableHidden(found[item])).toEqual(comparableHidden(lines));
        else expect(found[item]).toEqual(lines);
      });
    }

    it("has no item that BuildKit's record lacks", () => {
      expect(Object.keys(found)).toEqual(Object.keys(expected.variants[variant]));
    });
  });
}
