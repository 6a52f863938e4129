/** The programs that builds run, and the ranges of ids that a rootless build maps. */
import type { FileSystem } from "../base/index.js";
import { toolEnvironment } from "../engines/index.js";
import type { DoctorCheck } from "./doctor-check.js";
import { asRoot, fact, lacking, working } from "./doctor-check.js";
import { readFact } from "./doctor-kernel.js";
import packages from "./machine-packages.json" with { type: "json" };
import type { Machine } from "./machine.js";

interface ToolPackage {
  /** Debian's name. */
  readonly package: string;
  readonly programs: readonly string[];
  readonly reason: string;
  readonly rootlessOnly?: boolean;
}

/** Ids that an image may use: those of 16 bits. */
const idsNeeded = 65_536;
/** Where useradd begins when nobody has a range yet. */
const firstSubordinateId = 100_000;

export async function checkTools(machine: Machine): Promise<readonly DoctorCheck[]> {
  const listed: readonly ToolPackage[] = packages.run;
  const tools = await Promise.all(
    listed.flatMap((entry) => entry.programs.map(async (program) => await checkTool(machine, entry, program))),
  );
  return [...tools, checkRunc(machine), checkApt(machine), ...checkSubordinateIds(machine)];
}

/** Path of a program in the only folders that the engine takes tools from. */
function toolPath(machine: Machine, program: string): string | undefined {
  const paths = toolEnvironment.PATH.split(":").map((folder) => `${folder}/${program}`);
  return paths.find((path) => machine.processes.find(path) !== undefined);
}

async function checkTool(machine: Machine, entry: ToolPackage, program: string): Promise<DoctorCheck> {
  const subject = { id: `tool-${program}`, title: program, neededFor: entry.reason };
  const path = toolPath(machine, program);
  const needed = entry.rootlessOnly !== true || machine.uid !== 0;
  const hint = asRoot(machine.uid, `apt-get install --no-install-recommends ${entry.package}`);
  if (path === undefined) {
    // As root runc does what crun does, in five times the time.
    const replaced = program === "crun" && machine.uid === 0 && toolPath(machine, "runc") !== undefined;
    if (replaced) return fact(subject, "not there; runc is used, which is slower", hint);
    return lacking(subject, { state: "missing", found: "not there", hint, required: needed });
  }
  const fault = await ability(machine, program, path);
  if (fault !== undefined) return lacking(subject, { state: "broken", found: fault, hint, required: needed });
  return working(subject, await versionOf(machine, program, path));
}

/** Some of these answer `--version` with their usage, or read from standard input. */
const withoutVersion = new Set(["newuidmap", "newgidmap", "bzip2"]);

async function versionOf(machine: Machine, program: string, path: string): Promise<string> {
  if (withoutVersion.has(program)) return path;
  const { stdout } = await machine.processes.run(path, ["--version"], { env: toolEnvironment });
  const line = (stdout.toString("utf8").split("\n")[0] ?? "")
    .replace(/ \(lib.*$/, "")
    .trim()
    .slice(0, 80);
  return line === "" ? path : `${line} (${path})`;
}

/** What an old or foreign program of the right name cannot do; undefined when it can. */
async function ability(machine: Machine, program: string, path: string): Promise<string | undefined> {
  const run = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, status } = await machine.processes.run(path, args, { env: toolEnvironment });
    return `${String(status)}\n${stdout.toString("utf8")}${stderr.toString("utf8")}`;
  };
  switch (program) {
    case "setpriv":
      return (await run("--pdeathsig", "KILL", "--", "true")).startsWith("0") ? undefined : "it has no --pdeathsig";
    case "unshare":
      if (machine.uid === 0 || (await run("--help")).includes("--map-auto")) return undefined;
      return "it has no --map-auto: util-linux 2.38 or later is needed";
    case "tar":
      return (await run("--version")).includes("GNU tar") ? undefined : "it is not GNU tar";
    case "newuidmap":
    case "newgidmap":
      return mayMapIds(machine.files, path) ? undefined : "it has neither setuid nor a file capability";
    default:
      return undefined;
  }
}

/** Debian makes them setuid; where they have file capabilities, only the trial can tell. */
function mayMapIds(files: FileSystem, path: string): boolean {
  const stat = files.statSync(path);
  return (stat.mode & 0o4000) !== 0 || stat.uid === 0;
}

function checkRunc(machine: Machine): DoctorCheck {
  const subject = { id: "tool-runc", title: "runc", neededFor: "nothing while crun is there" };
  return fact(subject, toolPath(machine, "runc") ?? "not there");
}

function checkApt(machine: Machine): DoctorCheck {
  const subject = { id: "tool-apt-get", title: "apt-get", neededFor: "sources with an apt-source: mirror" };
  return fact(subject, toolPath(machine, "apt-get") ?? "not there");
}

interface IdRange {
  readonly owner: string;
  readonly start: number;
  readonly count: number;
}

/** Lines `NAME-OR-UID:START:COUNT` of subuid(5); others are passed over, as newuidmap does. */
export function parseIdRanges(raw: string): readonly IdRange[] {
  return raw.split("\n").flatMap((line) => {
    const [, owner, start, count] = /^([^:#\s]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    return owner === undefined ? [] : [{ owner, start: Number(start), count: Number(count) }];
  });
}

function checkSubordinateIds(machine: Machine): readonly DoctorCheck[] {
  const { files, uid } = machine;
  const name = userName(files, uid);
  const own = (range: IdRange): boolean => range.owner === name || range.owner === String(uid);
  const ranges = ["/etc/subuid", "/etc/subgid"].map((path) => ({
    path,
    all: parseIdRanges(readFact(files, path) ?? ""),
  }));
  const ends = ranges.flatMap(({ all }) => all.map(({ start, count }) => start + count));
  const start = Math.max(firstSubordinateId, ...ends);
  const span = `${String(start)}-${String(start + idsNeeded - 1)}`;
  const hint = asRoot(uid, `usermod --add-subuids ${span} --add-subgids ${span} ${name ?? String(uid)}`);
  return ranges.map(({ path, all }) => {
    const kind = path.slice("/etc/".length);
    const subject = { id: kind, title: `range in ${path}`, neededFor: "builds without root" };
    const count = Math.max(0, ...all.filter(own).map((range) => range.count));
    const found = count === 0 ? `none for ${name ?? String(uid)}` : `${String(count)} ids`;
    if (uid === 0) return fact(subject, `${found}; root needs none`);
    if (count >= idsNeeded) return working(subject, found);
    return lacking(subject, { state: "missing", found: `${found}, ${String(idsNeeded)} are needed`, hint });
  });
}

function userName(files: FileSystem, uid: number): string | undefined {
  const lines = (readFact(files, "/etc/passwd") ?? "").split("\n").map((line) => line.split(":"));
  return lines.find((fields) => fields[2] === String(uid))?.[0];
}
