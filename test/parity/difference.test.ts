/** The suite's own tools: a comparison that cannot fail would prove nothing. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Answer } from "./answers.js";
import { renderArchive } from "./archive.js";
import { pathBytes } from "./case.js";
import { differences, lineDifferences } from "./difference.js";
import { describeImage, type Image, listTar, sha256 } from "./image.js";
import { layOutFolder } from "./lay-out.js";

const tar = renderArchive([{ path: "f", type: "file", text: "one\n", mode: "0600" }], "none");
const otherTar = renderArchive([{ path: "f", type: "file", text: "two\n", mode: "0600" }], "none");

function imageOf(layer: Buffer, digest = "sha256:blob"): Image {
  return {
    indexDigest: "sha256:index",
    manifestDigest: `sha256:manifest-${digest}`,
    manifest: "{}",
    configDigest: "sha256:config",
    config: '{"os":"linux"}',
    layers: [{ digest, diffId: sha256(layer), tar: layer }],
  };
}

function answerOf(image: Image): Answer {
  return { kind: "image", ...image, layers: image.layers };
}

describe("differences (PA-14)", () => {
  let folder = "";
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "stagewright-difference-"));
    fs.writeFileSync(join(folder, "expected.txt"), describeImage(imageOf(tar), { manifest: true }));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const expected = () => join(folder, "expected.txt");

  it("finds none in the same image", () => {
    expect(differences(imageOf(tar), answerOf(imageOf(tar)), expected(), undefined)).toEqual([]);
  });

  it("names the layer, the line and the byte", () => {
    const found = differences(imageOf(otherTar), answerOf(imageOf(tar)), expected(), imageOf(tar)).join("\n");
    expect(found).toContain(`diff id of layer 1: expected ${sha256(tar)}, found ${sha256(otherTar)}`);
    expect(found).toMatch(/BuildKit: {3}0 0000600 [^\n]* f [^]*\nfound: {6}0 0000600 [^\n]* f /);
    expect(found).toContain("first difference at byte 512 (block 1, field offset 0)");
  });

  it("tells another gzip stream from another tar", () => {
    const found = differences(imageOf(tar, "sha256:other"), answerOf(imageOf(tar)), expected(), undefined);
    expect(found[0]).toContain("the same tar, another gzip stream");
    expect(found).toContain("the manifest differs");
  });

  it("names a configuration, and a layer too many", () => {
    const image = { ...imageOf(tar), configDigest: "sha256:else", layers: [] };
    const found = differences(image, answerOf(imageOf(tar)), expected(), undefined);
    expect(found.slice(0, 2)).toEqual(["the configuration differs", "expected 1 layers, found 0"]);
  });

  it("shows the lines of either side", () => {
    expect(lineDifferences("a\nb\nc", "a\nx\nc\nd")).toEqual(["BuildKit: b", "found:    x", "found:    d"]);
  });
});

describe("what a case lays out (PA-2)", () => {
  let folder = "";
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "stagewright-layout-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("writes archives that tar reads", () => {
    const long = `${"d".repeat(110)}/f`;
    const file = join(folder, "a.tar");
    const members = [
      { path: "x/", type: "directory" as const, mode: "0700", uid: 5, gid: 3_000_000, mtime: -86_400 },
      { path: long, type: "file" as const, text: "hello", pax: { mtime: "12.5" } },
      { path: "l", type: "symlink" as const, target: "t".repeat(120) },
    ];
    fs.writeFileSync(file, renderArchive(members, "none"));
    const listing = execFileSync("tar", ["-tvf", file, "--numeric-owner", "--utc"], { encoding: "utf8" });
    expect(listing).toContain("drwx------ 5/3000000         0 1969-12-31 00:00 x/");
    expect(listing).toContain(long);
    expect(listing).toContain(`l -> ${"t".repeat(120)}`);
    expect(listTar(fs.readFileSync(file)).at(-1)).toBe("  end: 1024 bytes");
  });

  it("gives modes, times, links and byte names", () => {
    layOutFolder(
      [
        { type: "file", path: "d/a\\xff", text: "a", mode: "4755", mtime: 0 },
        { type: "hardlink", path: "d/b", target: "d/a\\xff" },
        { type: "symlink", path: "d/l", target: "nowhere", mtime: -5 },
        { type: "fill", path: "big", text: "ab", size: 5 },
      ],
      join(folder, "context"),
    );
    const stat = fs.lstatSync(Buffer.concat([Buffer.from(`${folder}/context/`), pathBytes("d/a\\xff")]));
    expect([stat.mode & 0o7777, stat.mtimeMs, stat.nlink]).toEqual([0o4755, 0, 2]);
    expect(fs.lstatSync(join(folder, "context/d/l")).mtimeMs).toBe(-5000);
    expect(fs.statSync(join(folder, "context/d")).mtimeMs).toBe(1_600_000_000_000);
    expect(fs.readFileSync(join(folder, "context/big"), "utf8")).toBe("ababa");
  });
});
