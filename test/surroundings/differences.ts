/**
 * Where a RUN here sees something else than in BuildKit, and why: the rules SU-10 to SU-23 of docs/spec/surroundings.md (PA-25).
 * What is not here has to be the same.
 */
import * as fs from "node:fs";

type Lines = readonly string[];

export interface Situation {
  /** Built by root, or in a user namespace of this user. */
  readonly builder: { readonly uid: number; readonly gid: number };
  /** Of the process that starts the build. */
  readonly limits: Lines;
}

/** Changes what BuildKit showed into what is right here. */
type Change = (lines: Lines, situation: Situation) => Lines;

const devices = ["null", "zero", "full", "random", "urandom", "tty"];

const always: Readonly<Record<string, Change>> = {
  /** SU-10, SU-11: nothing in a sandbox is a device but what is bound from the machine. */
  mounts: (lines) =>
    lines.flatMap((line) => {
      if (line.startsWith("root / ")) return [line.replace("relatime", "nodev,relatime")];
      if (!line.startsWith("tmpfs /dev ")) return [line];
      return [line.replace("nosuid", "nodev,nosuid"), ...devices.map((name) => boundDevice(name, "ro"))];
    }),
  /** SU-12: runc makes this link only where the kernel has /proc/kcore, crun always. */
  devices: (lines) => ["lrwxrwxrwx 0,0 0:0 ./core /proc/kcore", ...lines],
  /** SU-10: BuildKit lets a node of /dev/null be opened, wherever it was made. */
  "device-use": (lines) =>
    lines.includes("null: 0")
      ? [...lines.slice(0, 4), "sh: can't open /null2: Permission denied", "null: ", ...deniedDevices]
      : lines,
  /** SU-13: the number of open files is ours. The others are inherited, in BuildKit from its daemon. */
  limits: (_, { limits }) => limits.map((line) => line.replace(/^(Max open files +)\S.*/, openFiles)),
  /** SU-14: inherited too. */
  "oom-score": () => [fs.readFileSync("/proc/self/oom_score_adj", "utf8").trim()],
};

const deniedDevices = ["mem: Permission denied", "loop: Permission denied"];
const openFiles = (_: string, name: string): string => `${name}${"2048".padEnd(21)}${"16384".padEnd(19)}`;

function boundDevice(name: string, access: string): string {
  return `bind /dev/${name} noexec,nosuid,relatime,${access}`;
}

/** In a user namespace, after the changes of {@link always}. */
const rootless: Readonly<Record<string, Change>> = {
  /** SU-20: root is the user who builds, the others are that user's subordinate ids. */
  "id-maps": (_, { builder }) => [...idMap(builder.uid), ...idMap(builder.gid)],
  /** SU-21: crun binds the devices a second time. */
  mounts: (lines) => [
    ...lines.map(withoutGroups),
    ...["null", "zero", "full", "tty", "random", "urandom"].map((name) => boundDevice(name, "rw")),
  ],
  /** SU-22: the machine's root owns what the machine made. */
  devices: (lines) => lines.map((line) => line.replace(/^(c\S+ \d+,\d+) 0:0 (?!\.\/pts\/)/, "$1 65534:65534 ")),
  "root-folder": (lines) => lines.map((line) => line.replace(/^((?:proc|sys) .*) 0:0$/, "$1 65534:65534")),
  /** SU-23: a root that tries to make a device ends the RUN, so the probe does not try. */
  "device-use": (lines) => (lines.includes("null: ") ? lines.slice(0, 4) : lines),
};

function idMap(own: number): string[] {
  return [`0 ${String(own)} 1`, "1 subordinate 65535"];
}

/** Groups of a mount are shown with the numbers of the machine. */
function withoutGroups(line: string): string {
  return line.replace(/gid=\d+,?/, "");
}

/** What this machine must show, from what BuildKit showed. */
export function expectedHere(item: string, buildkit: Lines, situation: Situation): Lines {
  const here = always[item]?.(buildkit, situation) ?? buildkit;
  return situation.builder.uid === 0 ? here : (rootless[item]?.(here, situation) ?? here);
}

/** What was found, without what no rule is about. */
export function comparable(item: string, lines: Lines | undefined, situation: Situation): Lines | undefined {
  // Which of the hidden paths there are is the kernel's affair: an absent one is as good as a masked one.
  if (item === "hidden") return lines?.map((line) => line.replace(/ (?:absent|folder 0|device 1,3 0)$/, " hidden"));
  if (situation.builder.uid === 0) return lines;
  if (item === "mounts") return lines?.map(withoutGroups);
  if (item === "id-maps")
    return lines?.map((line) =>
      line
        .trim()
        .replace(/ +/g, " ")
        .replace(/^1 \d+ /, "1 subordinate "),
    );
  return lines;
}

/** The limits that a child of this process inherits. */
export function ownLimits(): Lines {
  const lines = fs.readFileSync("/proc/self/limits", "utf8").trimEnd().split("\n");
  return lines.map((line) => line.slice(0, 66));
}
