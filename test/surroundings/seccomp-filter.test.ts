/**
 * Our filter against the one that the real runc gives to the kernel for a RUN of BuildKit, and against what the
 * machine's crun and libseccomp make of our profile: every call of every convention, with arguments on both sides of
 * each condition. Rules SU-30 to SU-34.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { compiledFilter } from "../../src/engines/native/sandbox/seccomp-filter.js";
import { longestProgram } from "../../src/engines/native/sandbox/bpf.js";
import { seccompProfile } from "../../src/engines/native/sandbox/seccomp.js";
import { callNumber, knownCalls, x32Bit } from "../../src/engines/native/sandbox/system-calls.js";
import type { CallConvention } from "../../src/engines/native/sandbox/system-calls.js";
import { runFilter } from "./bpf-interpreter.js";

const ours = Buffer.from(compiledFilter("amd64") ?? "", "base64");

const x86 = 0x4000_0003;
const x86_64 = 0xc000_003e;
const otherArchitectures = [0, 0x4000_0028, 0xc000_00b7, 0xc000_00f3, 0x8000_0016];

/** About VSOCK (40), the personalities, and the flags of clone with and without each kind of namespace. */
const interestingArguments: readonly bigint[] = [
  ...[1n, 7n, 8n, 9n, 17n, 39n, 40n, 41n, 0x20000n, 0x20008n, 0x40000n, 0xffff_ffffn, 0x7e02_0000n, 0x0121_1000n],
  ...Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)),
  ...[40n, 8n, 0x20008n, 0xffff_ffffn, 17n].map((low) => (1n << 32n) + low),
  0xffff_ffff_ffff_ffffn,
];

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

const edges = [1000, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xc000_0000, 0xffff_ffff];
const numbers = [...range(0, 620), ...range(x32Bit, 620), ...edges];

/** Every call on which two filters differ, as text. */
function differences(
  a: Buffer,
  b: Buffer,
  left: (number: number, architecture: number) => boolean = () => false,
): string[] {
  const found: string[] = [];
  const compare = (architecture: number, number: number, argument: bigint): boolean => {
    const [one, other] = [a, b].map((filter) => runFilter(filter, { number, architecture, argument }));
    if (one?.answer !== other?.answer) {
      found.push([architecture.toString(16), number, argument.toString(16), one?.answer, other?.answer].join(" "));
    }
    return one?.looked === true || other?.looked === true;
  };
  for (const architecture of [x86, x86_64, ...otherArchitectures]) {
    for (const number of numbers.filter((candidate) => !left(candidate, architecture))) {
      if (!compare(architecture, number, 0n)) continue;
      for (const argument of interestingArguments) compare(architecture, number, argument);
    }
  }
  return found.slice(0, 50);
}

describe("the seccomp filter", () => {
  it("SU-30 answers as runc's own filter for a RUN of BuildKit", () => {
    const record = JSON.parse(fs.readFileSync(new URL("runc-filter.json", import.meta.url), "utf8")) as {
      filter: string[];
    };
    expect(differences(ours, Buffer.from(record.filter.join(""), "base64"))).toEqual([]);
  });

  it("SU-31 answers as libseccomp, but for calls newer than the profile or than libseccomp", () => {
    const filter = filterOfCrun();
    if (filter === undefined) {
      process.stderr.write("SKIPPED: crun as root is needed to compare with libseccomp\n");
      return;
    }
    // Here libseccomp 2.5 says EPERM: it does not know the calls that Linux 6.2 and later brought, nor runc's rule.
    const newest = (number: number, architecture: number): boolean =>
      number > 450 &&
      (architecture === x86 ||
        number < x32Bit ||
        (number > x32Bit + 450 && number < x32Bit + 512) ||
        number > x32Bit + 547);
    expect(differences(ours, filter, newest)).toEqual([]);
  });

  it("SU-34 is short", () => {
    expect(ours.length / 8).toBeLessThan(700);
    expect(ours.length / 8).toBeLessThan(longestProgram);
  });

  it("SU-33 leaves other kernels to the runtime", () => {
    expect(compiledFilter("arm64")).toBeUndefined();
    expect(seccompProfile("arm64")).toMatchObject({ architectures: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"] });
  });
});

/** What crun hands to the kernel for our profile: it leaves the compiled filter in its folder. */
function filterOfCrun(): Buffer | undefined {
  if (process.getuid?.() !== 0 || spawnSync("crun", ["--version"]).status !== 0) return undefined;
  const work = fs.mkdtempSync(join(tmpdir(), "stagewright-seccomp-"));
  try {
    const rootfs = join(work, "rootfs");
    fs.mkdirSync(join(rootfs, "dev"), { recursive: true });
    fs.copyFileSync("/bin/true", join(rootfs, "true"));
    const spec = {
      ociVersion: "1.0.2",
      process: { user: { uid: 0, gid: 0 }, args: ["/true"], cwd: "/" },
      root: { path: rootfs },
      mounts: [],
      linux: { namespaces: ["pid", "mount"].map((type) => ({ type })), seccomp: seccompProfile("amd64") },
    };
    fs.writeFileSync(join(work, "config.json"), JSON.stringify(spec));
    const alone = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    const ran = spawnSync("unshare", [...alone, "sh", "-c", createOnly, "sh", work], { encoding: "utf8" });
    const found = join(work, "seccomp.bpf");
    if (!fs.existsSync(found)) throw new Error(`crun left no filter: ${ran.stderr}`);
    return fs.readFileSync(found);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** The filter lies there from the creation of a container to its start. */
const createOnly = `
  mount -t tmpfs tmpfs /sys/fs/cgroup
  crun --root "$1/state" --cgroup-manager disabled create --bundle "$1" x </dev/null >/dev/null
  cp "$1/state/x/seccomp.bpf" "$1/"
`;

describe("the table of system calls", () => {
  const headers: Readonly<Record<CallConvention, string>> = {
    "x86-64": "unistd_64.h",
    i386: "unistd_32.h",
    x32: "unistd_x32.h",
  };
  const folder = ["/usr/include/x86_64-linux-gnu/asm", "/usr/include/asm"].find((path) =>
    fs.existsSync(join(path, "unistd_64.h")),
  );

  for (const [convention, file] of Object.entries(headers) as [CallConvention, string][]) {
    it(`SU-32 has the numbers of the kernel's headers: ${convention}`, () => {
      if (folder === undefined) {
        process.stderr.write("SKIPPED: the kernel's headers are needed (linux-libc-dev) to check the table of calls\n");
        return;
      }
      const said = readHeader(join(folder, file));
      const last = Math.max(...[...said.values()].filter((number) => number < 500));
      for (const name of knownCalls) {
        const number = callNumber(name, convention);
        const plain = number === undefined ? undefined : number & ~x32Bit;
        const newer = plain !== undefined && plain > last && plain < 500 && !said.has(name);
        if (!newer) expect([name, plain]).toEqual([name, said.get(name)]);
      }
    });
  }
});

function readHeader(path: string): Map<string, number> {
  const lines = fs.readFileSync(path, "utf8").matchAll(/^#define __NR_(\w+) \(?(?:__X32_SYSCALL_BIT \+ )?(\d+)\)?$/gm);
  return new Map([...lines].map(([, name = "", number = ""]) => [name, Number(number)]));
}
