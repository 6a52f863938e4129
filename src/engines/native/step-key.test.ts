/** Rule EN-28: every input of a RUN is in its key, and nothing else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Digest } from "../../base/index.js";
import type { RunMount, RunStep } from "../../graph/index.js";
import { runKey, type RunInputs } from "./step-key.js";

const digest: fc.Arbitrary<Digest> = fc
  .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 })
  .map((hex): Digest => `sha256:${hex}`);
const path = fc.string({ minLength: 1, maxLength: 8 }).map((text) => `/${text}`);
const id = fc.nat({ max: 70_000 });

const mount: fc.Arbitrary<RunMount> = fc.oneof(
  fc.record({
    kind: fc.constant("bind" as const),
    from: fc.constant({ kind: "context" as const, name: "", dockerignore: true }),
    source: path,
    target: path,
    writable: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("cache" as const),
    id: path,
    target: path,
    sharing: fc.constantFrom("shared" as const, "private" as const, "locked" as const),
    from: fc.constant(undefined),
    source: path,
    mode: id,
    uid: id,
    gid: id,
    readonly: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("tmpfs" as const), target: path, size: fc.option(id, { nil: undefined }) }),
  fc.record({
    kind: fc.constant("secret" as const),
    id: path,
    target: fc.option(path, { nil: undefined }),
    env: fc.option(path, { nil: undefined }),
    required: fc.boolean(),
    mode: id,
    uid: id,
    gid: id,
  }),
);

const step: fc.Arbitrary<RunStep> = fc.record({
  kind: fc.constant("run" as const),
  base: fc.constant({ kind: "scratch" as const }),
  argv: fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
  env: fc.array(fc.string(), { maxLength: 4 }),
  cwd: path,
  user: fc.string({ maxLength: 6 }),
  mounts: fc.array(mount, { maxLength: 3 }),
  scripts: fc.array(fc.record({ path, data: fc.string() }), { maxLength: 2 }),
  network: fc.constantFrom("none" as const, "default" as const, "host" as const),
  origin: fc.record({ line: id, endLine: id, text: fc.string() }),
});

const inputs: fc.Arbitrary<RunInputs> = fc.record({
  chain: fc.array(digest, { maxLength: 3 }),
  mounts: fc.array(fc.option(fc.string()), { maxLength: 3 }),
  network: fc.constantFrom("none" as const, "host" as const),
  platform: fc.constantFrom("linux/amd64", "linux/386"),
  architecture: fc.constantFrom("amd64", "arm64"),
  target: fc.constantFrom("core-a", "core-b"),
});

/** Holds that replacing a member by another value changes the key. */
function decides<K extends Exclude<keyof RunStep, "kind" | "base" | "origin">>(member: K): void {
  it(`${member} is in the key`, () => {
    fc.assert(
      fc.property(step, step, inputs, (one, other, given) => {
        fc.pre(JSON.stringify(one[member]) !== JSON.stringify(other[member]));
        expect(runKey({ ...one, [member]: other[member] }, given)).not.toBe(runKey(one, given));
      }),
    );
  });
}

describe("the key of a RUN", () => {
  for (const member of ["argv", "env", "cwd", "user", "mounts", "scripts", "network"] as const) decides(member);

  it.each(["chain", "mounts", "network", "architecture"] as const)("has the input %s", (member) => {
    fc.assert(
      fc.property(step, inputs, inputs, (one, given, other) => {
        fc.pre(JSON.stringify(given[member]) !== JSON.stringify(other[member]));
        expect(runKey(one, { ...given, [member]: other[member] })).not.toBe(runKey(one, given));
      }),
    );
  });

  it("has the target where the step has a cache, which is the target's own, and only there", () => {
    fc.assert(
      fc.property(step, inputs, (one, given) => {
        const keys = new Set(["core-a", "core-b"].map((target) => runKey(one, { ...given, target })));
        expect(keys.size).toBe(one.mounts.some(({ kind }) => kind === "cache") ? 2 : 1);
      }),
    );
  });

  it("has not the step's place in the Containerfile, nor the index of what it stands on", () => {
    fc.assert(
      fc.property(step, step, inputs, id, (one, other, given, index) => {
        const moved: RunStep = { ...one, origin: other.origin, base: { kind: "step", step: index } };
        expect(runKey(moved, given)).toBe(runKey(one, given));
      }),
    );
  });

  it("tells neighbours apart: a word moved from one list to the next", () => {
    fc.assert(
      fc.property(step, inputs, fc.string(), (one, given, word) => {
        const before = runKey({ ...one, argv: [...one.argv, word] }, given);
        expect(runKey({ ...one, env: [word, ...one.env] }, given)).not.toBe(before);
        expect(runKey({ ...one, argv: [[...one.argv, word].join(" ")] }, given)).not.toBe(before);
      }),
    );
  });
});
