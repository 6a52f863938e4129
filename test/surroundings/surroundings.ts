/** The probe of a RUN's surroundings as builds, and the normal form of what it prints. Rules PA-20 and on of docs/spec/parity.md. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { ParityCase } from "../parity/case.js";
import { parseResults, renderSyscallProgram } from "./syscall-program.js";

/** What the probe found, by item: lines in normal form. */
export type Surroundings = Readonly<Record<string, readonly string[]>>;

/** The ways to run it: instructions before the RUN, and the RUN's flags. */
export const variants = {
  default: { before: [], flags: "" },
  "network-none": { before: [], flags: "--network=none " },
  "user-nobody": { before: ["USER nobody"], flags: "" },
  "user-number": { before: ["USER 1234"], flags: "" },
} as const;

export type Variant = keyof typeof variants;

/** Where the probe's result stands in the image. */
export const resultName = "result";

/** @param folder of probe.sh; the folder of this file without it. */
export function surroundingsCase(variant: Variant, folder = dirname(fileURLToPath(import.meta.url))): ParityCase {
  const { before, flags } = variants[variant];
  const lines = [
    "FROM scratch AS probed",
    "COPY --from=tools / /bin/",
    "COPY --from=probe / /",
    "WORKDIR /work/folder",
    "ENV GIVEN=value RESULT=/out/result",
    "ARG DECLARED=argument",
    ...before,
    `RUN ${flags}["/bin/sh", "-c", "eval \\"$(cat /probe/probe.sh)\\""]`,
    "FROM scratch",
    `COPY --from=probed /out/result /${resultName}`,
  ];
  const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home/nobody:/bin/sh\n";
  const group = "root:x:0:\nadm:x:4:root\nnobody:x:65534:\nextra:x:2000:nobody\n";
  const probe: ParityCase["contexts"][string] = [
    { type: "file", path: "probe/probe.sh", text: readFileSync(join(folder, "probe.sh"), "utf8") },
    { type: "base64", path: "probe/syscalls", base64: renderSyscallProgram().toString("base64"), mode: "0755" },
    { type: "file", path: "etc/passwd", text: passwd },
    { type: "file", path: "etc/group", text: group },
    { type: "directory", path: "out", mode: "1777" },
    { type: "directory", path: "tmp", mode: "1777" },
  ];
  return {
    name: `surroundings-${variant}`,
    covers: "What a RUN can see.",
    platform: "linux/amd64",
    target: undefined,
    args: {},
    context: [],
    contexts: { probe },
    images: {},
    tools: true,
    secrets: {},
    containerfileIgnore: undefined,
    fails: false,
    mayRefuse: false,
    root: false,
    peer: "form",
    containerfile: `${lines.join("\n")}\n`,
  };
}

/** @param raw what the probe wrote. */
export function parseSurroundings(raw: Buffer): Surroundings {
  const items: Record<string, string[]> = {};
  let current: string[] = [];
  for (const line of raw.toString("latin1").replace(/\n$/, "").split("\n")) {
    const item = /^@ ([a-z-]+)$/.exec(line)?.[1];
    if (item === undefined) current.push(line);
    else current = items[item] = [];
  }
  return Object.fromEntries(Object.entries(items).map(([item, lines]) => [item, normalise(item, lines)]));
}

function normalise(item: string, lines: readonly string[]): readonly string[] {
  switch (item) {
    case "descriptors":
      return lines.map((line) => line.replace(/:\[\d+\]/, ":[]"));
    case "mounts":
      return lines.flatMap(normaliseMount);
    case "syscalls":
      return refusedCalls(lines);
    case "cgroup":
      // Which hierarchies there are is the machine's affair; that the RUN has a group of its own is not seen from here.
      return lines.length > 0 ? ["some"] : ["none"];
    default:
      return lines;
  }
}

/** Device names, layer folders and options of the machine's own file system are left out; one line stands for all control groups. */
function normaliseMount(line: string): string[] {
  const [device = "", target = "", type = "", options = ""] = line.split(" ");
  // The mounts that hide or protect a path exist only where the kernel has that path; `hidden` and `read-only` are about them.
  if (/^\/(?:sys\/fs\/cgroup\/|proc\/|sys\/(?!fs\/cgroup$))/.test(target)) return [];
  const kept = options
    .split(",")
    .filter((o) => mountFlags.test(o))
    .sort()
    .join(",");
  if (target === "/etc/hosts" || target === "/etc/resolv.conf") return [`bind ${target} ${kept}`];
  if (target === "/sys/fs/cgroup") return [`cgroup ${target}`];
  // A node of the machine: its file system, and how large that may grow, are the machine's affair.
  if (/^\/dev\/[a-z]+$/.test(target) && type === "devtmpfs") return [`bind ${target} ${flagsOf(kept)}`];
  return [`${target === "/" ? "root" : device} ${target} ${target === "/" ? "any" : type} ${kept}`];
}

/** Without the options that are about the file system as a whole. */
function flagsOf(kept: string): string {
  return kept
    .split(",")
    .filter((option) => !option.includes("="))
    .join(",");
}

const mountFlags = /^(?:ro|rw|nosuid|nodev|noexec|relatime|strictatime|noatime|size=.*|mode=.*|gid=.*|ptmxmode=.*)$/;

/** Numbers of the calls that gave EPERM, and apart from them those that gave ENOSYS. */
function refusedCalls(lines: readonly string[]): string[] {
  const results = parseResults(Buffer.from(lines.join("").replace(/\s/g, ""), "hex"));
  const of = (errno: number) => [...results].filter(([, value]) => value === errno).map(([call]) => call);
  return [`EPERM ${of(1).join(" ")}`, `ENOSYS ${of(38).join(" ")}`];
}
