import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { StagewrightError } from "../../base/index.js";
import { checkRunMount, mountSource, parseRunMount } from "./run-mount.js";

const same = (value: string): string => value;
const parse = (raw: string): unknown => parseRunMount(raw, same, "f:1:5");
const owner = { mode: undefined, uid: undefined, gid: undefined };

describe("parseRunMount (CF-75)", () => {
  it.each([
    ["target=/m", { type: "bind", from: undefined, source: "", target: "/m", readonly: true }],
    [
      "type=bind,from=build,src=/out,dst=m,rw",
      { type: "bind", from: "build", source: "/out", target: "m", readonly: false },
    ],
    ['"destination=/a,b",ro=0', { type: "bind", from: undefined, source: "", target: "/a,b", readonly: false }],
    [
      "TYPE=Cache,target=/c,sharing=LOCKED,mode=0700,uid=1,gid=2,id=x,readonly",
      {
        ...{ type: "cache", id: "x", target: "/c", sharing: "locked", from: undefined, source: "" },
        ...{ mode: 0o700, uid: 1, gid: 2, readonly: true },
      },
    ],
    [
      "type=cache,target=/c",
      {
        ...{ type: "cache", id: undefined, target: "/c", sharing: "shared", from: undefined, source: "" },
        ...{ ...owner, readonly: false },
      },
    ],
    ["type=tmpfs,target=/t,size=1.5kb", { type: "tmpfs", target: "/t", size: 1536 }],
    ["type=tmpfs,target=/t,size=2 GiB", { type: "tmpfs", target: "/t", size: 2 ** 31 }],
    ["type=secret,id=k", { type: "secret", id: "k", target: undefined, env: undefined, required: false, ...owner }],
    [
      "type=secret,target=/run/k,env=K,required,mode=0440",
      { type: "secret", id: "k", target: "/run/k", env: "K", required: true, ...owner, mode: 0o440 },
    ],
  ])("reads %s", (raw, expected) => {
    expect(parse(raw)).toEqual(expected);
  });

  it.each([
    ...["", "type=ssh", "type=foo", "target", "foo=1", "target=/x,", "required,type=secret,id=z", "type=secret"],
    ...["type=secret,id=a,source=b", "type=secret,id=a,from=b", "uid=0", "type=tmpfs,mode=1", "size=1", "env=A"],
    ...["type=tmpfs,size=5x", "type=tmpfs,size=-1", "type=cache,mode=9", "type=cache,uid=4294967296", "rw=maybe"],
    ...[
      "sharing=shared",
      "type=cache,sharing=some",
      'target=a"b',
      '"target=a',
      '"target=a"b',
      "type=secret,id=a,required=no",
    ],
  ])("refuses %j", (raw) => {
    expect(() => parse(raw)).toThrow(
      expect.objectContaining({ kind: "malformed", code: "bad-mount", subject: "f:1:5" }),
    );
  });

  it("expands every value but that of from", () => {
    const expand = (value: string): string => value.replace("$T", "tmpfs").replace("$D", "/d");
    expect(parseRunMount("type=$T,target=$D", expand)).toEqual({ type: "tmpfs", target: "/d", size: undefined });
    expect(parseRunMount("from=$D,target=$D", expand)).toMatchObject({ from: "$D", target: "/d" });
  });

  it("checks before variables are known what can be checked", () => {
    checkRunMount("type=$T,target=/x");
    expect(() => {
      checkRunMount("from=$X,target=/x");
    }).toThrow(expect.objectContaining({ code: "variable-in-from" }));
    expect(mountSource("type=bind,FROM=a,target=b")).toBe("a");
    expect(mountSource("target=b")).toBeUndefined();
  });

  it("throws nothing but StagewrightError", () => {
    const piece = fc.constantFrom(
      "type=",
      "cache",
      "tmpfs",
      "size=",
      "1",
      "k",
      ",",
      '"',
      "=",
      "target",
      "__proto__",
      "rw",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parse(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(StagewrightError);
        }
      }),
    );
  });
});
