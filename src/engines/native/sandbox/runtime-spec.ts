/**
 * The OCI runtime specification of a RUN. It gives what BuildKit gives to runc (docs/spec/surroundings.md lists each
 * item), with these differences: the resolver is ours; control groups are hidden; devices are bound from the machine
 * one by one and every other place is `nodev`, since no device control group guards them. Limits of processes and memory
 * are the caller's (SU-16).
 */
import type { MappedIds } from "./seccomp-filter.js";
import { compiledFilter } from "./seccomp-filter.js";
import { seccompProfile } from "./seccomp.js";

export interface SandboxMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group comes first. */
  readonly additionalGids: readonly number[];
  readonly home: string;
}

export interface SandboxRequest {
  readonly rootfs: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: SandboxUser;
  /** Files to bind over /etc/hosts and /etc/resolv.conf. */
  readonly hostsFile: string;
  readonly resolverFile: string;
  /** RUN --mount, in any order. */
  readonly mounts: readonly SandboxMount[];
  /** A network of its own that has only `lo`, or the machine's. */
  readonly network: "none" | "host";
  readonly architecture: string;
  /** In a user name space: calls that need more rights are held, and this socket gets the means to answer them. */
  readonly held: { readonly mapped: MappedIds; readonly socket: string } | undefined;
}

const hostName = "buildkitsandbox";

const capabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

const devices = ["null", "zero", "full", "random", "urandom", "tty"];

const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
  "/proc/scsi",
];

const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** SU-13: what the tree format's own tooling asks BuildKit for, `--ulimit nofile=2048:16384`. */
const openFiles = { type: "RLIMIT_NOFILE", soft: 2048, hard: 16384 };

export function runtimeSpec(request: SandboxRequest): Readonly<Record<string, unknown>> {
  return {
    ociVersion: "1.0.2",
    annotations: annotationsOf(request),
    process: processOf(request),
    root: { path: request.rootfs, readonly: false },
    hostname: hostName,
    mounts: [...systemMounts(request), ...sortedMounts(request.mounts)],
    linux: {
      namespaces: ["pid", "ipc", "uts", "mount", "cgroup", ...(request.network === "none" ? ["network"] : [])].map(
        (type) => ({ type }),
      ),
      maskedPaths,
      readonlyPaths,
      seccomp: seccompProfile(request.architecture),
    },
  };
}

function annotationsOf({ architecture, held }: SandboxRequest): Readonly<Record<string, string>> {
  const filter = compiledFilter(architecture, held?.mapped);
  if (filter === undefined) return {};
  const receiver = held === undefined ? {} : { "run.oci.seccomp.receiver": held.socket };
  return { "run.oci.seccomp_bpf_data": filter, ...receiver };
}

function processOf(request: SandboxRequest): Readonly<Record<string, unknown>> {
  const { uid, gid, additionalGids, home } = request.user;
  // SU-3: runc adds HOME where nothing else sets it.
  const hasHome = request.env.some((variable) => variable.startsWith("HOME="));
  const held = uid === 0 ? capabilities : [];
  return {
    terminal: false,
    user: { uid, gid, additionalGids, umask: 0o022 },
    args: request.argv,
    env: hasHome ? request.env : [...request.env, `HOME=${home}`],
    cwd: request.cwd,
    capabilities: { bounding: capabilities, effective: held, permitted: held, inheritable: [], ambient: [] },
    rlimits: [openFiles],
    noNewPrivileges: false,
  };
}

function systemMounts(request: SandboxRequest): SandboxMount[] {
  const closed = ["nosuid", "noexec", "nodev"];
  const mount = (destination: string, type: string, source: string, ...options: string[]): SandboxMount => ({
    destination,
    type,
    source,
    options,
  });
  const pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
  return [
    // crun binds the root anew and forgets that it was nodev; it refuses "/" itself as a destination.
    mount("/.", "none", "/", "remount", "bind", "nodev"),
    mount("/proc", "proc", "proc", ...closed),
    mount("/dev", "tmpfs", "tmpfs", "nosuid", "nodev", "strictatime", "mode=755", "size=65536k"),
    // Read-only: data may be written to a device all the same, but nobody changes the mode of the machine's own node.
    ...devices.map((name) => mount(`/dev/${name}`, "bind", `/dev/${name}`, "bind", "ro", "nosuid", "noexec")),
    mount("/dev/pts", "devpts", "devpts", ...pts),
    mount("/dev/shm", "tmpfs", "shm", ...closed, "mode=1777", "size=65536k"),
    mount("/dev/mqueue", "mqueue", "mqueue", ...closed),
    mount("/sys", "sysfs", "sysfs", ...closed, "ro"),
    mount("/etc/resolv.conf", "bind", request.resolverFile, ...closed, "rbind", "ro"),
    mount("/etc/hosts", "bind", request.hostsFile, ...closed, "rbind", "ro"),
    mount("/sys/fs/cgroup", "tmpfs", "tmpfs", ...closed, "ro", "mode=755", "size=4k"),
  ];
}

/** BuildKit mounts in the order of the destinations, so that `/a` comes before `/a/b`. */
function sortedMounts(mounts: readonly SandboxMount[]): SandboxMount[] {
  return [...mounts].sort((a, b) => (a.destination < b.destination ? -1 : a.destination > b.destination ? 1 : 0));
}

/** The two files of /etc that every RUN sees. */
export const hostsText = `127.0.0.1\tlocalhost ${hostName}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;
/** SU-15 */
export const resolverText = "# no resolver: a build has no network\n";
