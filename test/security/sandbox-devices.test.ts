/**
 * What a RUN, root in it, can do to the machine: nothing. Rules SU-10, SU-11, SU-60 to SU-63 of
 * docs/spec/surroundings.md.
 */
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { builders, SandboxTree } from "../surroundings/sandbox-tree.js";

/** Where a node could be made: the root, each file system of a RUN that can be written to, and its mounts. */
const places = ["/", "/dev", "/tmp", "/dev/shm", "/dev/mqueue", "/scratch", "/cache", "/bound"];
const mounts = [
  "--mount=type=tmpfs,target=/scratch",
  "--mount=type=cache,target=/cache",
  "--mount=type=bind,from=tools,target=/bound,rw",
].join(" ");

/** A disk of the machine, its memory, a loop device, and a plain null device that would harm nobody. */
function disks(): readonly string[] {
  const lines = fs.readFileSync("/proc/partitions", "utf8").split("\n").slice(2);
  const found = lines.map((line) => line.trim().split(/\s+/)).filter(([major]) => major !== undefined && major !== "");
  return ["b 8 0", ...found.slice(0, 1).map(([major = "", minor = ""]) => `b ${major} ${minor}`)];
}
const nodes = [...disks(), "c 1 1", "b 7 0", "c 10 237", "c 10 229", "c 1 3", "c 5 1", "c 4 0"];

const attempts = [
  "mount -t tmpfs none /tmp",
  "mount -t proc proc /tmp",
  "mount --bind / /tmp",
  "mount -o remount,rw /proc/sys",
  "mount -o remount,dev /",
  "mount -o remount,rw /sys",
  "umount /proc/sys",
  "umount /dev/null",
  "pivot_root / /tmp",
  "unshare -U true",
  "unshare -m true",
  "unshare -n true",
  "nsenter -t 1 -m true",
  "setpriv --no-new-privs unshare -Ur true",
];

const writes = [
  ..."kernel/core_pattern kernel/modprobe kernel/hostname vm/drop_caches fs/binfmt_misc/register kernel/sysrq"
    .split(" ")
    .map((n) => `/proc/sys/${n}`),
  ..."/proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/bus/pci/00 /sys/power/state /sys/kernel/uevent_helper".split(
    " ",
  ),
  ..."/sys/fs/cgroup/release_agent /sys/fs/cgroup/cgroup.procs /proc/1/oom_score_adj2 /proc/kcore /etc/hosts /etc/resolv.conf".split(
    " ",
  ),
];

/** @param tried the devices that it makes; without root the first would end the RUN (SU-23, tested with EN-52) */
const scriptFor = (tried: readonly string[]): string => `
mkdir -p /tmp
for place in ${places.join(" ")}; do
  n=0
  for node in ${tried.map((node) => `"${node}"`).join(" ")}; do
    n=$((n + 1)); path=$place/attack-$n
    mknod $path $node 2>/dev/null || { echo "$place $node: not made"; continue; }
    (head -c 1 <$path >/dev/null) 2>/dev/null && echo "$place $node: READ"
    (: >>$path) 2>/dev/null && echo "$place $node: OPENED FOR WRITING"
    echo "$place $node: made"
    rm -f $path
  done
done
${attempts.map((attempt) => `busybox ${attempt} >/dev/null 2>&1 && echo "SUCCESS: ${attempt}"`).join("\n")}
for path in ${writes.join(" ")}; do (echo 1 >$path) 2>/dev/null && echo "WRITTEN: $path"; done
for path in null zero full random urandom tty; do
  busybox chmod 600 /dev/$path 2>/dev/null && echo "CHANGED: $path"
  busybox chown 1 /dev/$path 2>/dev/null && echo "CHANGED: $path"
  busybox rm -f /dev/$path 2>/dev/null; [ -c /dev/$path ] || echo "GONE: $path"
done
for path in /proc/[0-9]*/root/etc/shadow /proc/1/cwd/../../../../../etc/shadow /proc/1/fd/../root/etc/shadow; do
  [ -e $path ] && echo "REACHED: $path"
done
echo done
exit 0
`;

for (const user of builders()) {
  describe(`a RUN that ${user.uid === 0 ? "root" : "a user without privileges"} builds`, () => {
    const tree = new SandboxTree(user);
    let lines: string[] = [];

    beforeAll(async () => {
      lines = (await tree.run(scriptFor(user.uid === 0 ? nodes : []), mounts)).split("\n");
    });

    afterAll(() => {
      tree.remove();
    });

    it("goes through the whole of the attack", () => {
      expect(lines.at(-1)).toBe("done");
    });

    it("SU-10 opens no device that it made, wherever it made it", () => {
      expect(lines.filter((line) => /READ|OPENED/.test(line))).toEqual([]);
      const made = lines.filter((line) => line.endsWith(": made"));
      // As root nodes can be made, since images hold them; so the test has really tried.
      if (user.uid === 0) expect(made.length).toBeGreaterThanOrEqual(nodes.length * 7);
    });

    it("SU-11 changes nothing about the machine's own device nodes", () => {
      expect(lines.filter((line) => /^(?:CHANGED|GONE)/.test(line))).toEqual([]);
      const { mode, uid } = fs.statSync("/dev/null");
      expect([mode & 0o777, uid]).toEqual([0o666, 0]);
    });

    it("SU-60 mounts nothing, and enters no other name space", () => {
      expect(lines.filter((line) => line.startsWith("SUCCESS"))).toEqual([]);
    });

    it("SU-61 writes nothing that the kernel would act on", () => {
      expect(lines.filter((line) => line.startsWith("WRITTEN"))).toEqual([]);
    });

    it("SU-62 finds no way out through /proc", () => {
      expect(lines.filter((line) => line.startsWith("REACHED"))).toEqual([]);
    });

    it("SU-63 gives a program no more privileges by its set-user-id bit than a RUN has", async () => {
      const said = await tree.run(
        "mkdir /own; cp /bin/busybox /own/; chmod 4755 /own/busybox; /own/busybox sh -c 'grep -E \"^Cap(Eff|Bnd)\" /proc/self/status'",
      );
      expect(said.match(/[0-9a-f]{16}/g)).toEqual(["00000000a80425fb", "00000000a80425fb"]);
    });
  });
}
