/**
 * SU-1: what a RUN sees here is what it sees in BuildKit, item by item, but for the differences that are listed with their
 * reasons. The probe runs once for each variant, as root and without privileges; expected.json holds what a real
 * BuildKit gave. The command itself builds, so that all that it might let through is in the test.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { layOutCase } from "../parity/lay-out.js";
import { comparable, expectedHere, ownLimits } from "./differences.js";
import { asRoot, SandboxTree, self, type TestUser, userWithoutPrivileges } from "./sandbox-tree.js";
import { parseSurroundings, type Surroundings, surroundingsCase, type Variant, variants } from "./surroundings.js";

const expected = JSON.parse(fs.readFileSync(new URL("expected.json", import.meta.url), "utf8")) as {
  variants: Record<Variant, Surroundings>;
};

async function probe(variant: Variant, user: TestUser): Promise<Surroundings> {
  const tree = new SandboxTree(user);
  try {
    const { containerfile } = surroundingsCase(variant);
    const { contexts } = layOutCase(surroundingsCase(variant), join(tree.folder, "case"), tree.tools);
    const { status, stderr } = await tree.build(containerfile, { contexts });
    if (status !== 0) throw new Error(`the build ended with ${String(status)}: ${stderr}`);
    return parseSurroundings(tree.result());
  } finally {
    tree.remove();
  }
}

const builders = asRoot
  ? { root: self, "without privileges": userWithoutPrivileges() }
  : { "without privileges": self };

for (const [name, user] of Object.entries(builders)) {
  for (const variant of Object.keys(variants) as Variant[]) {
    describe(`what a RUN sees, built by ${name}: ${variant}`, () => {
      const situation = { builder: user, limits: ownLimits() };
      let found: Surroundings = {};

      beforeAll(async () => {
        found = await probe(variant, user);
      });

      for (const [item, lines] of Object.entries(expected.variants[variant])) {
        it(item, () => {
          const right = expectedHere(item, lines, situation);
          expect(comparable(item, found[item], situation)).toEqual(comparable(item, right, situation));
        });
      }

      it("has no item that BuildKit's record lacks", () => {
        expect(Object.keys(found)).toEqual(Object.keys(expected.variants[variant]));
      });
    });
  }
}
