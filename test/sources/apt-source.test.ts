/** Rules SO-30 to SO-35, with the machine's own apt and mirror. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { makeHarness, requestFor, type Harness } from "./fixture.js";

const hasApt = spawnSync("apt-get", ["--version"]).status === 0;
if (!hasApt) console.warn("SKIPPED: apt-source mirrors need apt-get");
const network = Object.fromEntries(
  ["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

let harness: Harness;

beforeEach(() => {
  harness = makeHarness({ environment: network });
});

afterEach(async () => {
  await harness.close();
});

/** The orig tarball of trixie's tcc, whose hash was found on another machine. */
const tcc = {
  mirror: "apt-source:tcc=0.9.27+git20200814.62c30a4a-2/tcc_0.9.27+git20200814.62c30a4a.orig.tar.bz2",
  sha256: "d63c113bcdd657f51c8ee197a0b0a24203603313e19a52b5f678d40ab7f5df35",
};

describe.skipIf(!hasApt)("an apt-source mirror", () => {
  it("gives tarballs of the suites that are listed, and leaves the machine's apt as it was", async () => {
    const lists = "/var/lib/apt/lists";
    const before = fs.readdirSync(lists);
    const outcomes = await harness.fetch(
      [
        { ...requestFor("", [tcc.mirror]), sha256: tcc.sha256 },
        { ...requestFor("", ["apt-source:no-such-source=1/file.tar"]), sha256: "0".repeat(64) },
        { ...requestFor("", [tcc.mirror.replace("/tcc", "/other")]), sha256: "1".repeat(64) },
        requestFor("other bytes than apt has", [ownSource()]),
      ],
      { aptSuites: ["trixie"] },
    );
    expect(outcomes[0]).toMatchObject({ kind: "fetched", state: "downloaded", mirror: tcc.mirror });
    expect(outcomes[1]).toMatchObject({ kind: "failed", error: { kind: "unavailable" } });
    expect(outcomes[2]).toMatchObject({ kind: "failed", error: { kind: "unavailable" } });
    const reason = outcomes[2]?.kind === "failed" ? outcomes[2].failures[0]?.reason : "";
    expect(reason).toContain("apt brought tcc_0.9.27");
    // Whatever apt says of them (SO-30).
    expect(outcomes[3]).toMatchObject({
      kind: "failed",
      error: { kind: "rejected" },
      failures: [{ verdict: "wrong" }],
    });
    expect(fs.readdirSync(lists)).toEqual(before);
  });

  it("is unavailable, with apt's own words, when a suite does not exist", async () => {
    const request = { ...requestFor("", ["apt-source:no-such-source=1/file.tar"]), sha256: "0".repeat(64) };
    const outcome = await harness.fetchOne(request, { aptSuites: ["no-such-suite"] });
    if (outcome.kind !== "failed") throw new Error("expected a failure");
    expect(outcome.error.kind).toBe("unavailable");
    expect(outcome.failures[0]?.reason).toContain("no-such-suite");
  });
});

/** A small source package of the machine's own suite, as an address. */
function ownSource(): string {
  const version = execFileSync("apt-cache", ["policy", "hello"]).toString();
  const candidate = /Candidate: (\S+)/.exec(version)?.[1] ?? "2.10-3";
  return `apt-source:hello=${candidate}/hello_${candidate.split("-")[0] ?? ""}.orig.tar.gz`;
}
