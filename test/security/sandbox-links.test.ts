/**
 * Links that a Containerfile or a step lays out for the engine to follow: mount targets, sources, working folders, and
 * what is cleaned up after a RUN. Rules SU-80 to SU-86 of docs/spec/surroundings.md.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { builders, SandboxTree } from "../surroundings/sandbox-tree.js";

for (const user of builders()) {
  describe(`a build by ${user.uid === 0 ? "root" : "a user without privileges"}`, () => {
    let tree: SandboxTree;
    let outside = "";

    beforeEach(() => {
      tree = new SandboxTree(user);
      // A folder of the machine that the builder may write to, with what a clean-up could take for a stub.
      outside = join(tree.folder, "outside");
      fs.mkdirSync(join(outside, "folder"), { recursive: true });
      fs.writeFileSync(join(outside, "file"), "");
      fs.writeFileSync(join(outside, "secret"), "planted-77aa");
      for (const path of [outside, join(outside, "folder"), join(outside, "file")])
        fs.chownSync(path, user.uid, user.gid);
    });

    afterEach(() => {
      tree.remove();
    });

    const unharmed = (): void => {
      expect(fs.readdirSync(outside).sort()).toEqual(["file", "folder", "secret"]);
      expect(fs.readdirSync(join(outside, "folder"))).toEqual([]);
    };

    const linked = (...lines: string[]): string =>
      [
        "FROM scratch AS base",
        "COPY --from=tools / /bin/",
        ...lines,
        "FROM scratch",
        "COPY --from=base /result /result",
        "",
      ].join("\n");

    const sh = (text: string): string => JSON.stringify(["/bin/sh", "-c", text]);

    for (const type of ["tmpfs", "cache"]) {
      it(`SU-80 follows a link in the target of a ${type} mount inside the root only`, async () => {
        const up = "../".repeat(20);
        const text = linked(
          `RUN ${sh(`ln -s ${up}${outside.slice(1)} /relative; ln -s ${outside} /absolute`)}`,
          `RUN --mount=type=${type},target=/relative/made --mount=type=${type},target=/absolute/secret ${sh("ls -R /relative/ >/result; grep -r planted /relative /absolute >>/result; :")}`,
        );
        const { status } = await tree.build(text);
        if (status === 0) expect(tree.result().toString()).not.toContain("planted");
        unharmed();
      });
    }

    for (const target of ["/proc", "/proc/sys", "/link/sys", "/proc/self/attr", "/sys", "/dev"]) {
      it(`SU-81 does not let a mount at ${target} open what is closed`, async () => {
        const text = linked(
          `RUN ${sh("ln -s /proc /link")}`,
          `RUN --mount=type=tmpfs,target=${target} ${sh("(echo x >/proc/sys/kernel/domainname) 2>/dev/null; busybox mknod /dev/x b 7 0; head -c 1 /dev/x >/dev/null 2>&1 && echo OPEN >>/result; cat /proc/keys >>/result 2>/dev/null; grep -c . /proc/1/status >>/result; :")}`,
        );
        const { status } = await tree.build(text);
        if (status === 0) expect(tree.result().toString()).not.toMatch(/OPEN|keyring/);
        expect(fs.readFileSync("/proc/sys/kernel/domainname", "utf8")).not.toBe("x\n");
      });
    }

    it("SU-82 takes the source of a bind mount from its tree alone", async () => {
      tree.write("links/.keep", "");
      fs.symlinkSync(outside, join(tree.folder, "tree/packages/user/probe/links/absolute"));
      fs.symlinkSync("../".repeat(20) + outside.slice(1), join(tree.folder, "tree/packages/user/probe/links/relative"));
      for (const source of ["links/absolute", "links/relative"]) {
        const mount = `--mount=type=bind,source=${source},target=/seen`;
        const { status } = await tree.build(linked(`RUN ${mount} ${sh("grep -r planted /seen >/result; :")}`));
        if (status === 0) expect(tree.result().toString()).not.toContain("planted");
      }
      unharmed();
    });

    it("SU-83 cleans up mount points without following what a step put in their way", async () => {
      const mounts = ["/a/file", "/b/folder", "/c/d/folder"]
        .map((target) => `--mount=type=tmpfs,target=${target}`)
        .join(" ");
      const swap = ["a", "b"].map((name) => `mv /${name} /${name}-gone; ln -s ${outside} /${name}`).join("; ");
      const deep = `mv /c/d /c/gone; ln -s ${outside} /c/d`;
      const { status } = await tree.build(linked(`RUN ${mounts} ${sh(`${swap}; ${deep}; echo swapped >/result`)}`));
      if (status === 0) expect(tree.result().toString()).toBe("swapped\n");
      unharmed();
    });

    it("SU-84 copes with a step that turns /etc into a link, then and in the next step", async () => {
      const text = linked(
        `RUN ${sh(`mv /etc /moved; ln -s ${outside} /etc; echo first >/result`)}`,
        `RUN ${sh("cat /etc/hosts >>/result; echo second >>/result")}`,
      );
      const { status, stderr } = await tree.build(text);
      expect([0, 1, 3], stderr).toContain(status);
      if (status === 0) expect(tree.result().toString()).toMatch(/first[^]*second/);
      unharmed();
    });

    it("SU-84 copes with system folders that are links", async () => {
      for (const name of ["dev", "proc", "sys", "etc"]) {
        const text = linked(
          `RUN ${sh("mkdir /x; ln -s x /y; echo yes >/result")}`,
          `COPY links/ /`,
          `RUN ${sh("echo yes >/result")}`,
        );
        fs.mkdirSync(join(tree.folder, "tree/packages/user/probe/links"), { recursive: true });
        fs.rmSync(join(tree.folder, "tree/packages/user/probe/links", name), { force: true });
        fs.symlinkSync(outside, join(tree.folder, "tree/packages/user/probe/links", name));
        const { status, stderr } = await tree.build(text);
        expect([0, 1, 3], stderr).toContain(status);
        fs.rmSync(join(tree.folder, "tree/packages/user/probe/links", name));
        unharmed();
      }
    });

    it("SU-85 has no descriptor of the runtime as a way out by the working folder", async () => {
      const shadow = `cat ${"../".repeat(12)}etc/shadow`;
      for (let descriptor = 3; descriptor < 12; descriptor++) {
        const folder = `WORKDIR /proc/self/fd/${String(descriptor)}`;
        const { status, stdout, stderr } = await tree.build(linked(folder, `RUN ${sh(shadow)}`));
        expect(status).not.toBe(0);
        expect(stdout + stderr).not.toContain("root:");
      }
    });

    it("SU-86 ends with the right status when a RUN fills its disk", async () => {
      const { status, stderr } = await tree.build(
        linked(`RUN --mount=type=tmpfs,target=/small,size=1m ${sh("head -c 4000000 /dev/zero >/small/x")}`),
      );
      expect(status).toBe(1);
      expect(stderr).toContain("the command ended with status 1");
    });
  });
}
