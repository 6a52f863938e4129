/** What the kernel and its settings say. Where a trial can tell more, the setting is only a fact that explains it. */
import type { FileSystem } from "../base/index.js";
import { systemErrorCode } from "../base/index.js";
import type { DoctorCheck } from "./doctor-check.js";
import { asRoot, fact, lacking, working } from "./doctor-check.js";
import type { Machine } from "./machine.js";

/** The oldest Node that the program is tested with, as `engines` of package.json. */
const oldestNode = [20, 19] as const;
/** The first kernel whose overlay filesystem may be mounted in a user namespace. */
const rootlessOverlayKernel = [5, 11] as const;
/** What a RUN's limit of open files asks for (docs/spec/parity.md). */
const openFilesOfRun = 16_384;

/** The text of a small file of /proc or /etc without its last newline, or undefined when it cannot be read. */
export function readFact(files: FileSystem, path: string): string | undefined {
  try {
    return files.readFileSync(path, "utf8").trimEnd();
  } catch (thrown) {
    if (systemErrorCode(thrown) === undefined) throw thrown;
    return undefined; // absent, or hidden from this user: the kernel does not have it, as far as we can tell
  }
}

/** Whether a version such as `6.1.0-13` is at least the given one. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor, foundMinor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (foundMajor === undefined) return false;
  return Number(foundMajor) > major || (Number(foundMajor) === major && Number(foundMinor) >= minor);
}

export async function checkKernel(machine: Machine): Promise<readonly DoctorCheck[]> {
  return [
    await checkNode(machine),
    checkVersion(machine),
    checkOverlay(machine),
    ...checkUserNamespaces(machine),
    checkOpenFiles(machine),
    checkControlGroups(machine),
    checkFuse(machine),
  ];
}

async function checkNode(machine: Machine): Promise<DoctorCheck> {
  const subject = { id: "node", title: "Node.js", neededFor: "the program itself" };
  const { stdout } = await machine.processes.run(machine.node, ["--version"], { env: {} });
  const version = stdout.toString("utf8").trim();
  if (isAtLeast(version, oldestNode)) return working(subject, version);
  return lacking(subject, { state: "broken", found: version, hint: `install Node ${oldestNode.join(".")} or later` });
}

function checkVersion({ files, uid }: Machine): DoctorCheck {
  const subject = { id: "kernel", title: "Linux", neededFor: "overlay mounts in a user namespace (5.11)" };
  const version = readFact(files, "/proc/sys/kernel/osrelease") ?? "unknown";
  if (isAtLeast(version, rootlessOverlayKernel)) return working(subject, version);
  const hint = "build as root, or boot a later kernel";
  return lacking(subject, { state: "broken", found: version, hint, required: uid !== 0 });
}

function checkOverlay({ files, uid }: Machine): DoctorCheck {
  const subject = { id: "overlay", title: "overlay filesystem", neededFor: "the root of every RUN" };
  const known = readFact(files, "/proc/filesystems") ?? "";
  if (/^nodev\s+overlay$/m.test(known)) return working(subject, "known to the kernel");
  // The first mount by root loads the module; nobody else's does.
  if (uid === 0) return fact(subject, "not loaded yet; the trial below tells", "modprobe overlay");
  return lacking(subject, { state: "missing", found: "not loaded", hint: asRoot(uid, "modprobe overlay") });
}

/** Settings by which distributions and administrators forbid user namespaces. */
const namespaceSettings = [
  { path: "user/max_user_namespaces", forbids: "0", mend: "user.max_user_namespaces=28633" },
  { path: "kernel/unprivileged_userns_clone", forbids: "0", mend: "kernel.unprivileged_userns_clone=1" },
  {
    path: "kernel/apparmor_restrict_unprivileged_userns",
    forbids: "1",
    mend: "kernel.apparmor_restrict_unprivileged_userns=0",
  },
] as const;

function checkUserNamespaces({ files, uid }: Machine): readonly DoctorCheck[] {
  const neededFor = "builds without root";
  return namespaceSettings.flatMap(({ path, forbids, mend }) => {
    const value = readFact(files, `/proc/sys/${path}`);
    if (value === undefined) return [];
    const name = path.replace("/", ".");
    const subject = { id: name.replace(/^.*\./, "").replaceAll("_", "-"), title: name, neededFor };
    if (value !== forbids) return [uid === 0 ? fact(subject, value) : working(subject, value)];
    const hint = asRoot(uid, `sysctl -w ${mend}`);
    return [lacking(subject, { state: "broken", found: value, hint, required: uid !== 0 })];
  });
}

function checkOpenFiles({ files }: Machine): DoctorCheck {
  const subject = { id: "open-files", title: "hard limit of open files", neededFor: "every RUN" };
  const limits = readFact(files, "/proc/self/limits") ?? "";
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? "unknown";
  if (hard === "unlimited" || Number(hard) >= openFilesOfRun) return working(subject, hard);
  const hint = `raise it to ${String(openFilesOfRun)}: ulimit -Hn as root, or nofile in /etc/security/limits.conf`;
  return lacking(subject, { state: "broken", found: hard, hint });
}

function checkControlGroups({ files }: Machine): DoctorCheck {
  const subject = { id: "cgroups", title: "control groups", neededFor: "nothing: a RUN sees none" };
  const types = [...(readFact(files, "/proc/mounts") ?? "").matchAll(/^\S+ \/sys\/fs\/cgroup\S* (cgroup2?) /gm)];
  const kinds = new Set(types.map(([, type]) => type));
  const found =
    kinds.size === 2 ? "hybrid" : kinds.has("cgroup2") ? "version 2" : kinds.size === 1 ? "version 1" : "none";
  return fact(subject, found);
}

function checkFuse({ files }: Machine): DoctorCheck {
  const subject = { id: "fuse", title: "/dev/fuse", neededFor: "nothing: the kernel's own overlay is used" };
  return fact(subject, files.existsSync("/dev/fuse") ? "there" : "not there");
}
