/**
 * Nothing of the machine reaches a RUN: secrets are planted wherever a build could find them, and looked for from
 * inside. Rules SU-40 to SU-52 of docs/spec/surroundings.md; SU-49 says what stays visible.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import * as fs from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { asRoot, builders, SandboxTree } from "../surroundings/sandbox-tree.js";

const secret = "planted-5e1f9c";

/** Sections of what the probe prints: `@ NAME`, then lines. */
const probe = `
item() { echo "@ $1"; shift; "$@" 2>&1; }
item environment sh -c 'tr "\\0" "\\n" </proc/1/environ; env'
item files find / -xdev ! -path "/bin/*"
item other-files find /dev /sys/fs/cgroup /etc
item processes sh -c 'for p in /proc/[0-9]*; do [ -d $p ] && tr "\\0" " " <$p/cmdline; echo; done'
item descriptors ls -l /proc/1/fd/
item input cat /proc/1/fd/0
item umask umask
item host-name sh -c 'hostname; cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
item zone date +%Z
item identity id
item shared-memory cat /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem
item queues ls -a /dev/mqueue
item keys sh -c 'cat /proc/keys; cat /proc/key-users | wc -l'
item groups sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u'
item unix-sockets cat /proc/net/unix
item listeners sh -c 'tail -n +2 /proc/net/tcp; tail -n +2 /proc/net/udp'
item interfaces ls /sys/class/net
item kernel-log ls /dev/kmsg /proc/kmsg
item roots sh -c 'for p in /proc/[0-9]*; do readlink $p/root; done | sort -u'
item resolver sh -c 'grep -v "^#" /etc/resolv.conf; :'
`;

function sections(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const part of `\n${text}`.split("\n@ ").slice(1)) {
    const [name = "", ...lines] = part.split("\n");
    found[name] = lines;
  }
  return found;
}

const ids: { memory?: string } = {};

beforeAll(() => {
  ids.memory = /\d+/.exec(execFileSync("ipcmk", ["--shmem", "4096"], { encoding: "utf8" }))?.[0] ?? "";
  if (asRoot) queue("touch");
});

afterAll(() => {
  spawnSync("ipcrm", ["--shmem-id", ids.memory ?? ""]);
  if (asRoot) queue("rm");
});

/** A POSIX message queue of the machine's own name space, by way of a mount that nobody else sees. */
function queue(program: "touch" | "rm"): void {
  const script = `mount -t mqueue mqueue /mnt && ${program} /mnt/${secret}`;
  execFileSync("unshare", ["--mount", "sh", "-c", script]);
}

for (const user of builders()) {
  describe(`what reaches a RUN that ${user.uid === 0 ? "root" : "a user without privileges"} builds`, () => {
    let found: Record<string, string[]> = {};

    beforeAll(async () => {
      const tree = new SandboxTree(user);
      const umask = process.umask(0o027);
      try {
        const path = join(tree.folder, "planted");
        fs.writeFileSync(path, secret, { mode: 0o644 });
        fs.chmodSync(path, 0o644);
        const descriptors = [fs.openSync(path, "r"), fs.openSync(path, "r")] as const;
        const environment = {
          SECRET: secret,
          LANG: `${secret}.UTF-8`,
          LC_ALL: secret,
          TZ: "Asia/Tokyo",
          LD_LIBRARY_PATH: `/${secret}`,
        };
        found = sections(await tree.run(probe, "", { environment, descriptors }));
        for (const descriptor of descriptors) fs.closeSync(descriptor);
      } finally {
        process.umask(umask);
        tree.remove();
      }
    });

    it("SU-40 no variable but those of the Containerfile", () => {
      const names = new Set(found["environment"]?.map((line) => line.split("=")[0]));
      expect([...names].sort()).toEqual(["HOME", "PATH", "PWD", "SHLVL"]);
    });

    it("SU-41 no file but those of the image and what a RUN is given", () => {
      const given = [
        "/",
        "/bin",
        "/dev",
        "/etc",
        "/etc/hosts",
        "/etc/resolv.conf",
        "/probe.sh",
        "/proc",
        "/result",
        "/sys",
      ];
      expect(found["files"]?.sort()).toEqual(given);
      expect(found["other-files"]?.filter((path) => /kmsg|log|sd[a-z]|vd[a-z]|mem|fuse|kvm/.test(path))).toEqual([]);
      expect(found["other-files"]).toContain("/sys/fs/cgroup");
      expect(found["other-files"]?.filter((path) => path.startsWith("/sys/fs/cgroup/"))).toEqual([]);
    });

    it("SU-42 no process but its own, and their root is its own", () => {
      const commands = found["processes"]?.filter((line) => line !== "");
      expect(commands?.filter((line) => !/^(sh|\/bin\/sh|find|tr|readlink) /.test(line))).toEqual([]);
      expect(found["roots"]).toEqual(["/"]);
    });

    it("SU-43 no open file of the command, and an empty standard input", () => {
      const open = found["descriptors"]
        ?.filter((line) => line.includes("->"))
        .map((line) => line.replace(/^.* (\d+ -> .*)$/, "$1"))
        .filter((line) => !line.startsWith("1")); // its own: the result, the script, and where the shell keeps them
      expect(open?.map((line) => line.replace(/\[\d+\]/, ""))).toEqual(["0 -> pipe:", "2 -> /result"]);
      expect(found["input"]).toEqual([]);
    });

    it("SU-44 not the umask, host name, time zone or users", () => {
      expect(found["umask"]).toEqual(["0022"]);
      expect(found["host-name"]).toEqual(["buildkitsandbox", "buildkitsandbox", "(none)"]);
      expect(found["host-name"]).not.toContain(hostname());
      expect(found["zone"]).toEqual(["UTC"]);
      expect(found["identity"]).toEqual(["uid=0 gid=0 groups=0"]);
    });

    it("SU-45 no shared memory, message queue or key", () => {
      expect(found["shared-memory"]?.filter((line) => /^\s+\d/.test(line))).toEqual([]);
      expect(found["queues"]).toEqual([".", ".."]);
      expect(found["keys"]).toEqual(["1"]);
    });

    it("SU-46 no control group", () => {
      expect(found["groups"]).toEqual(["/"]);
    });

    it("SU-47 no socket, no interface but its own loopback", () => {
      expect(found["unix-sockets"]).toHaveLength(1);
      expect(found["listeners"]).toEqual([]);
      expect(found["interfaces"]).toEqual(["lo"]);
    });

    it("SU-48 no kernel log, no resolver", () => {
      expect(
        found["kernel-log"]?.filter(
          (line) => line.includes("kmsg") && !line.includes("No such file") && line !== "/proc/kmsg",
        ),
      ).toEqual([]);
      expect(found["resolver"]).toEqual([]);
    });

    it("the secret is nowhere in all that was printed", () => {
      expect(JSON.stringify(found)).not.toContain(secret);
    });
  });

  describe(`the machine's network, asked by a RUN that ${user.uid === 0 ? "root" : "a user without privileges"} builds`, () => {
    const heard: string[] = [];
    const tcp = createServer((socket) => socket.end(`${secret}\n`));
    const udp = createSocket("udp4");
    const abstract = createServer();

    beforeAll(async () => {
      udp.on("message", (message) => heard.push(...message.toString("latin1").split(/\0\u0001?/)));
      await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => abstract.listen(`\0${secret}-${String(user.uid)}`, resolve));
    });

    afterAll(() => {
      tcp.close();
      udp.close();
      abstract.close();
    });

    /** Tries all three, with the word for the datagram. */
    function attempt(word: string): string {
      const [tcpPort, udpPort] = [tcp, udp].map((server) => String((server.address() as AddressInfo).port));
      return [
        `nc -w 2 127.0.0.1 ${tcpPort ?? ""} </dev/null`,
        // The one datagram that busybox sends to whom it is told, with a word of ours in it.
        `busybox timeout 1 busybox tftp -g -r ${word} -l /dev/null 127.0.0.1 ${udpPort ?? ""}`,
        "echo sockets $(grep -c @planted /proc/net/unix)",
      ].join("\n");
    }

    for (const flags of ["", "--network=default", "--network=host"]) {
      it(`SU-50 cannot be reached without the policy's leave: RUN ${flags}`, async () => {
        const tree = new SandboxTree(user);
        try {
          const said = await tree.run(attempt(`no${flags.replaceAll("-", "")}`), flags);
          expect(said).not.toContain(secret);
          expect(said).toContain("sockets 0");
          expect(heard).not.toContain(`no${flags.replaceAll("-", "")}`);
        } finally {
          tree.remove();
        }
      });
    }

    it("SU-51 can be reached where the RUN asks and the policy grants it", async () => {
      const tree = new SandboxTree(user);
      try {
        tree.configure('[network]\nallow = ["user-probe"]\n');
        const said = await tree.run(attempt("yes"), "--network=host");
        expect(said).toContain(secret);
        expect(said).toContain("sockets 1");
        await expect.poll(() => heard).toContain("yes");
      } finally {
        tree.remove();
      }
    });

    it("SU-52 stays out of reach of a RUN that says none, whatever the policy grants", async () => {
      const tree = new SandboxTree(user);
      try {
        tree.configure('[network]\nallow = ["user-probe"]\n');
        expect(await tree.run(attempt("none"), "--network=none")).not.toContain(secret);
        expect(heard).not.toContain("none");
      } finally {
        tree.remove();
      }
    });
  });
}
