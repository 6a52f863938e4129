import * as fs from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { folder, type TreeShape } from "../../../../test/support/engine-tree.js";
import { ContentHasher } from "./content.js";
import { resolveOwner, resolveRunUser } from "./users.js";

const passwd = `root:x:0:0:root:/root:/bin/sh
# a comment
app:x:1000:1001::/home/app:/bin/sh

nohome:x:7:7:::
9:x:77:78::/nine:
bad:x:abc:-1::/bad:
huge:x:99999999999:4294967296::/huge:
app:x:2:2::/second:
short
:x:5:5::/noname:
`;
const group = `root:x:0:
app:x:1001:
audio:x:29:app,other
more:x:30:other,app
9:x:79:
`;
const image = folder({ etc: { passwd, group } });
const hasher = new ContentHasher(fs);

describe("--chown", () => {
  const owner = (user: string, groupName?: string, shape = image) =>
    resolveOwner({ user, group: groupName }, shape, hasher);

  it.each<readonly [string, string | undefined, number, number]>([
    ["app", undefined, 1000, 1001],
    ["app", "audio", 1000, 29],
    ["5", undefined, 5, 5],
    ["5", "6", 5, 6],
    ["5", "audio", 5, 29],
    ["", "audio", 0, 29],
    ["9", "9", 9, 9],
    ["bad", undefined, 0, 0],
    ["2147483647", undefined, 2147483647, 2147483647],
  ])("%s:%s", (user, groupName, uid, gid) => {
    expect(owner(user, groupName)).toEqual({ uid, gid });
  });

  it.each([
    ["nobody", undefined, "unknown-user"],
    ["app", "nobody", "unknown-group"],
    ["2147483648", undefined, "unknown-user"],
    ["-1", undefined, "unknown-user"],
    ["1e3", undefined, "unknown-user"],
    ["app ", undefined, "unknown-user"],
    ["short", "x", "unknown-group"],
  ])("%s:%s is refused", (user, groupName, code) => {
    expect(() => owner(user, groupName)).toThrow(expect.objectContaining({ kind: "rejected", code }));
  });

  it("is root where the image has no such file", () => {
    expect(owner("app", "audio", folder({}))).toEqual({ uid: 0, gid: 0 });
  });
});

describe("USER", () => {
  const user = (spec: string, shape = image) => resolveRunUser(spec, shape, hasher);

  it.each([
    ["", 0, 0, [0], "/root"],
    ["app", 1000, 1001, [1001, 29, 30], "/home/app"],
    ["app:audio", 1000, 29, [29], "/home/app"],
    ["app:5", 1000, 5, [5], "/home/app"],
    ["1000", 1000, 1001, [1001, 29, 30], "/home/app"],
    ["1234", 1234, 0, [0], "/"],
    ["1234:5678", 1234, 5678, [5678], "/"],
    ["nohome", 7, 7, [7], "/"],
    ["9", 77, 78, [78], "/nine"],
    ["app:", 1000, 1001, [1001, 29, 30], "/home/app"],
  ])("%s", (spec, uid, gid, additionalGids, home) => {
    expect(user(spec)).toEqual({ uid, gid, additionalGids, home });
  });

  it.each([
    ["nobody", "unknown-user"],
    ["app:nobody", "unknown-group"],
  ])("%s is refused", (spec, code) => {
    expect(() => user(spec)).toThrow(expect.objectContaining({ kind: "rejected", code }));
  });

  it("needs both files, unless it is two numbers or nothing", () => {
    const half: TreeShape = { etc: { passwd } };
    expect(() => user("app", folder(half))).toThrow(
      expect.objectContaining({ code: "no-user-files", subject: "/etc/group" }),
    );
    expect(() => user("0", folder({}))).toThrow(
      expect.objectContaining({ code: "no-user-files", subject: "/etc/passwd" }),
    );
    expect(user("0:0", folder({}))).toMatchObject({ uid: 0, home: "/" });
    expect(user("", folder({}))).toMatchObject({ uid: 0, home: "/" });
  });

  it("reads files through links inside the image only", () => {
    const shape = folder({ etc: { passwd: "-> ../../../usr/passwd", group: "-> /etc/passwd" }, usr: { passwd } });
    expect(user("app", shape).uid).toBe(1000);
    expect(() => user("app", folder({ etc: { passwd: "-> group", group: "-> passwd" } }))).toThrow(
      expect.objectContaining({ code: "too-many-links" }),
    );
  });

  it("takes any bytes as passwd and group, or refuses with a reason", () => {
    const garbage = fc.string({ unit: fc.constantFrom(..."ab:01,\n#\0\xff -"), maxLength: 80 });
    fc.assert(
      fc.property(garbage, garbage, garbage, (users, groups, spec) => {
        const shape = folder({ etc: { passwd: users.replace(/^-> /, ""), group: groups.replace(/^-> /, "") } });
        for (const resolve of [
          () => user(spec, shape),
          () => resolveOwner({ user: spec, group: spec }, shape, hasher),
        ]) {
          try {
            const found = resolve();
            for (const id of [found.uid, found.gid])
              expect(Number.isInteger(id) && id >= 0 && id <= 0x7fffffff, String(id)).toBe(true);
          } catch (thrown) {
            expect(thrown).toMatchObject({ kind: "rejected" });
          }
        }
      }),
    );
  });

  it("takes a huge file in time, and refuses one beyond the limit", () => {
    const lines = Array.from({ length: 60_000 }, (_, at) => `u${String(at)}:x:${String(at)}:0::/:`).join("\n");
    const members = `g:x:5:${"a,".repeat(100_000)}last`;
    expect(user("u59999", folder({ etc: { passwd: lines, group: members } })).uid).toBe(59_999);
    const large = "x".repeat((4 << 20) + 1);
    expect(() => user("app", folder({ etc: { passwd: large, group } }))).toThrow(
      expect.objectContaining({ code: "file-too-large" }),
    );
  });
});
