import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { downloadName, isGitAddress } from "./git-address.js";
import { familiarImageName } from "./image-name.js";
import { cleanPath } from "./paths.js";
import { parsePlatform, readPlatform } from "../platform.js";
import { parsePort } from "./ports.js";
import { isStopSignal } from "./signals.js";

const hex = "0123456789abcdef".repeat(4);

describe("names of images (PL-5)", () => {
  it.each([
    ["x", "x"],
    ["x:latest", "x"],
    ["x:1", "x:1"],
    ["library/x", "x"],
    ["docker.io/x", "x"],
    ["index.docker.io/library/x:latest", "x"],
    ["docker.io/a/x", "a/x"],
    ["h.example:5000/x", "h.example:5000/x"],
    ["localhost/x:latest", "localhost/x"],
    [`a/x:latest@sha256:${hex}`, `a/x:latest@sha256:${hex}`],
    [`a/x@sha256:${hex}`, `a/x@sha256:${hex}`],
    ["a/b__c.d--e", "a/b__c.d--e"],
  ])("%s is %s", (raw, name) => {
    expect(familiarImageName(raw)).toBe(name);
  });

  it.each(["", "X", "a/X", "a//b", "/a", "a/", "a:", "a b", "-a", "a-", "a___b", "$x", hex, "a@sha256:12", "h_h.x/a"])(
    "%j is none",
    (raw) => {
      expect(familiarImageName(raw)).toBeUndefined();
    },
  );

  it("gives a familiar name for itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z.:/@_-]{1,40}$/), (raw) => {
        const name = familiarImageName(raw);
        if (name !== undefined) expect(familiarImageName(name)).toBe(name);
      }),
    );
  });
});

describe("platforms (PL-7)", () => {
  it.each([
    ["linux/amd64", "amd64", undefined],
    ["386", "386", undefined],
    ["linux/x86_64", "amd64", undefined],
    ["Linux/ARM64/v8", "arm64", undefined],
    ["linux/arm", "arm", "v7"],
    ["linux/arm/6", "arm", "v6"],
    ["linux/riscv64", "riscv64", undefined],
    ["linux/amd64/v3", "amd64", "v3"],
  ])("%s", (raw, architecture, variant) => {
    expect(readPlatform(raw)).toEqual({ os: "linux", architecture, ...(variant !== undefined && { variant }) });
  });
  it.each(["", "linux/", "linux", "windows/amd64", "linux/a/b/c", "linux/amd64/x"])("%j is none", (raw) => {
    expect(readPlatform(raw)).toBeUndefined();
    expect(() => parsePlatform(raw, "here")).toThrow(
      expect.objectContaining({ code: "bad-platform", subject: "here" }),
    );
  });
});

describe("ports (PL-34)", () => {
  it.each([
    ["80", 80, 80, "tcp"],
    ["80/", 80, 80, "tcp"],
    ["80-82/UDP", 80, 82, "udp"],
    ["8080:80", 80, 80, "tcp"],
    ["127.0.0.1:8080-8090:80", 80, 80, "tcp"],
    ["[::1]:1-2:3-4/sctp", 3, 4, "sctp"],
    ["::1::3", 3, 3, "tcp"],
  ])("%s", (word, first, last, protocol) => {
    expect(parsePort(word)).toEqual({ first, last, protocol });
  });
  it.each(["", "a", "65536", "-1", "2-1", "80/x", "/tcp", "1:2-3:4-6", "x:1:2", "1.2.3.256:1:2", "1:"])(
    "%j is none",
    (word) => {
      expect(parsePort(word)).toHaveProperty("problem");
    },
  );
});

describe("signals (PL-36)", () => {
  it.each(["9", "-3", "+2", "TERM", "sigterm", "SIGRTMIN+15", "RTMAX-14", "999"])("%s", (text) => {
    expect(isStopSignal(text)).toBe(true);
  });
  it.each(["", "0", "SIG", "SIGSIGTERM", "RTMIN+16", "RTMAX-15", "9 ", "1.5"])("%j is none", (text) => {
    expect(isStopSignal(text)).toBe(false);
  });
});

describe("sources (PL-66 to PL-68)", () => {
  it.each([
    ["git://h/r", true],
    ["ssh://h/r", true],
    ["u@h.example:r", true],
    ["https://h/r.git", true],
    ["https://h/r.git?x#v1", true],
    ["HTTP://h/r.git", true],
    ["sub/x.git", true],
    ["/x.git", true],
    ["./x.git", false],
    ["../x.git", false],
    ["x.git", false],
    ["sub/x.git/", false],
    ["https://h/r.git/x", false],
    ["github.com/a/b.git", false],
    ["ftp://h/r.git", false],
  ])("%s is a git address: %s", (source, expected) => {
    expect(isGitAddress(source)).toBe(expected);
  });

  it.each([
    ["https://h/a/b.tar", "b.tar"],
    ["https://h/a/b.tar/?q=/c#/d", "b.tar"],
    ["https://h/%e2%82%ac%20x", "€ x"],
    ["https://h", "__unnamed__"],
    ["https://h/?q", "__unnamed__"],
    ["https://h/%zz", "__unnamed__"],
    ["https://h/a%2F..", undefined],
    ["https://h/%00", undefined],
  ])("%s is saved as %s", (url, name) => {
    expect(downloadName(url)).toBe(name);
  });
});

describe("paths", () => {
  it("are absolute, clean, and their own clean form", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a./]{0,20}$/), (path) => {
        const clean = cleanPath(path);
        expect(clean).toMatch(/^\/$|^(\/[^/]+)+$/);
        expect(clean.split("/")).not.toContain("..");
        expect(cleanPath(clean)).toBe(clean);
      }),
    );
  });
});
