/** Rule SU-23: which calls the filter holds in a user name space, and that it answers all others as before. */
import { describe, expect, it } from "vitest";

import { longestProgram } from "../../src/engines/native/sandbox/bpf.js";
import { compiledFilter } from "../../src/engines/native/sandbox/seccomp-filter.js";
import { callNumber, knownCalls, type CallConvention } from "../../src/engines/native/sandbox/system-calls.js";
import { runFilter } from "../surroundings/bpf-interpreter.js";

const mapped = { users: 65_537, groups: 1000 };
const program = (ids?: typeof mapped): Buffer => Buffer.from(compiledFilter("amd64", ids) ?? "", "base64");
const [before, after] = [program(), program(mapped)];
const architectures: Readonly<Record<CallConvention, number>> = {
  "x86-64": 0xc000_003e,
  x32: 0xc000_003e,
  i386: 0x4000_0003,
};
const conventions = Object.keys(architectures) as CallConvention[];

function answer(
  filter: Buffer,
  convention: CallConvention,
  name: string,
  ...args: readonly number[]
): string | undefined {
  const number = callNumber(name, convention);
  if (number === undefined) return undefined;
  const [argument = 0n, ...others] = args.map((value) => BigInt(value));
  return runFilter(filter, { number, architecture: architectures[convention], argument, others }).answer;
}

const held = "7fc00000";
const free = answer(before, "x86-64", "read") ?? "";
const isHeld = (convention: CallConvention, name: string, ...args: readonly number[]): boolean => {
  const found = answer(after, convention, name, ...args);
  expect([free, held]).toContain(found);
  return found === held;
};

const none = 0xffff_ffff;
const [fifo, file, character, block] = [0o010644, 0o100644, 0o020644, 0o060644];

describe.each(conventions)("%s", (convention) => {
  const chown = convention === "i386" ? "chown32" : "chown";

  it.each([
    [
      "devices but the whiteout",
      "mknod",
      [
        [0, character, 259, true],
        [0, character, 0, false],
        [0, block, 0, true],
        [0, fifo, 0, false],
        [0, file, 259, false],
      ],
    ],
    [
      "devices at a folder",
      "mknodat",
      [
        [0, 0, character, 259, true],
        [0, 0, character, 0, false],
        [0, 0, block, 5, true],
        [0, 0, fifo, 9, false],
      ],
    ],
    [
      "owners out of range",
      chown,
      [
        [0, 65_536, 999, false],
        [0, 65_537, 0, true],
        [0, 0, 1000, true],
        [0, none, none, false],
        [0, none, 1000, true],
        [0, none - 1, 0, true],
      ],
    ],
    [
      "owners at a folder",
      "fchownat",
      [
        [0, 0, 65_536, 999, false],
        [0, 0, 65_537, 0, true],
        [0, 0, none, 1000, true],
      ],
    ],
    [
      "owners by descriptor and of links",
      convention === "i386" ? "fchown32" : "fchown",
      [
        [0, 65_537, 0, true],
        [0, 5, 5, false],
      ],
    ],
  ] as const)("holds %s (SU-23)", (_, name, cases) => {
    for (const one of cases) {
      const args = one.slice(0, -1) as readonly number[];
      expect(isHeld(convention, name, ...args), `${name} ${args.join(" ")}`).toBe(one.at(-1));
    }
  });

  it("answers all other calls as before", () => {
    const watched = /^(?:mknod|mknodat|[lf]?chown(?:32)?|fchownat)$/;
    for (const name of knownCalls.filter((call) => !watched.test(call)))
      for (const argument of [0, 40, 0x7e02_0000, 0xffff_ffff])
        expect(answer(after, convention, name, argument, 70_000, 70_000), name).toBe(
          answer(before, convention, name, argument, 70_000, 70_000),
        );
  });
});

it("fits into a program of the kernel's", () => {
  expect(after.length / 8).toBeLessThan(longestProgram);
});
