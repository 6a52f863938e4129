import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { toByteString } from "../../base/index.js";
import type { FileEntry, LayerEntry } from "./index.js";
import { indexTarFile, layerOrder, writeLayerTar } from "./index.js";

// Provenance: test/known-answers/image/README.md.
const answers = join(import.meta.dirname, "../../../test/known-answers/image");
const diffIds = {
  "nodes/layer-4": "sha256:d650d9dc1d7a2e694c66f48b7c38a5e154606aac8f8dd48942e3fe8e278ef7a8",
  "nodes/layer-5": "sha256:9fc6a8afee0f3167860f3211a73f51efa89e55030561fef1e5214b34ca69c2e0",
};
const epoch = { epochSeconds: 1 };
let scratch = "";

beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "stagewright-layers-"));
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

/** The path of an uncompressed known answer. */
function unpacked(name: string): string {
  const path = join(scratch, name.replaceAll("/", "-"));
  if (!fs.existsSync(path)) fs.writeFileSync(path, gunzipSync(fs.readFileSync(join(answers, `${name}.gz`))));
  return path;
}

function diffIdOf(entries: Iterable<LayerEntry>): string {
  const hash = createHash("sha256");
  writeLayerTar(entries, { files: fs, clamp: epoch }, (chunk) => void hash.update(chunk));
  return `sha256:${hash.digest("hex")}`;
}

const common = { uid: 0, gid: 0, mtimeSeconds: 1_790_000_000, mtimeNanoseconds: 123 };
function file(path: string, text: string, more: Partial<FileEntry> = {}): LayerEntry {
  const data = Buffer.from(text);
  return {
    ...common,
    type: "file",
    path: toByteString(path),
    mode: 0o644,
    size: data.length,
    content: { kind: "bytes", data },
    ...more,
  };
}
function directory(path: string, mode = 0o755, uid = 0): LayerEntry {
  return { ...common, type: "directory", path: toByteString(path), mode, uid };
}
function symlink(path: string, target: string, uid = 0): LayerEntry {
  return { ...common, type: "symlink", path, mode: 0o777, uid, target: toByteString(target) };
}
function hardlink(path: string, target: string, mode = 0o644): LayerEntry {
  return { ...common, type: "hardlink", path, mode, target };
}

/** What nodes/script.sh leaves behind. */
function nodes(): LayerEntry[] {
  const a60 = "a".repeat(60);
  return layerOrder([
    directory("t"),
    ...[a60, `${a60}/${a60}`, `${a60}/${a60}/${a60}`, `${a60}${a60}.d`, `${a60}/${a60}${a60}`].map((path) =>
      directory(`t/${path}`),
    ),
    directory(`t/${a60}/${"a".repeat(39)}`),
    file("t/plain", "hello\n", { mode: 0o4755 }),
    file(`t/${a60}/${a60}/f`, "x\n"),
    file(`t/${a60}/${a60}/${a60}/f`, "y\n"),
    file(`t/${a60}${a60}`, "z\n"),
    file(`t/${a60}/${a60}${a60}/${a60}`, "q\n"),
    symlink("t/longlink", `${a60}/${a60}/f`),
    symlink("t/unilink", "/target/ü"),
    symlink("t/short", "relative"),
    hardlink("t/hardlong", `t/${a60}/${a60}/f`),
    hardlink("t/zhard", "t/plain", 0o4755),
    file("t/ünïcode", "u\n"),
    directory("t/dirü"),
    file("t/dirü/f", "1\n"),
    file("", "x", { path: "t/bad\xffname" }),
    file("t/bigid", "big\n", { uid: 3_000_000, gid: 2_097_152 }),
    file("t/maxid", "b\n", { uid: 2_097_151, gid: 2_097_151 }),
    file("t/gidonly", "c\n", { uid: 5, gid: 4_000_000_000 }),
    { ...common, type: "character", path: "t/chr", mode: 0o644, major: 12, minor: 345 },
    { ...common, type: "block", path: "t/blk", mode: 0o644, major: 259, minor: 1_048_575 },
    { ...common, type: "fifo", path: "t/fifo", mode: 0o644 },
    directory("t/sticky", 0o1777),
    directory("t/sgid", 0o2755),
    file("t/neg", "neg\n", { mtimeSeconds: -315_619_200, mtimeNanoseconds: 0 }),
    file("t/zero", "neg\n", { mtimeSeconds: 0, mtimeNanoseconds: 0 }),
    file("t/one", "neg\n", { mtimeSeconds: 1, mtimeNanoseconds: 0 }),
    file("t/two", "neg\n", { mtimeSeconds: 2, mtimeNanoseconds: 0 }),
    file("t/fut", "n\n", { mtimeSeconds: 99_999_999_999 }),
    file(`t/${a60}/fut${a60}`, "n\n", { mtimeSeconds: 99_999_999_999 }),
    file("t/B.txt", "n\n"),
    directory("t/a"),
    file("t/a/x", "x\n"),
    file("t/a-b", "y\n"),
    file("t/a.txt", "z\n"),
    directory("t/setid", 0o755, 3_000_000),
    { ...common, type: "fifo", path: "t/fifobig", mode: 0o644, uid: 3_000_000 },
    symlink("t/linkbig", "x", 3_000_000),
  ]);
}

describe("layers of a real BuildKit (IM-20 to IM-28)", () => {
  it("come out of a list of entries, every kind of entry", () => {
    expect(diffIdOf(nodes())).toBe(diffIds["nodes/layer-4"]);
  });

  it("come out of a list of entries, whiteouts", () => {
    const whiteout = (path: string): LayerEntry => ({ type: "whiteout", path: toByteString(path) });
    const entries = [
      directory("t"),
      directory("t/a"),
      whiteout("t/a/x"),
      file("t/a/y", "new\n"),
      whiteout("t/plain"),
      whiteout("t/sticky"),
      whiteout("t/ünïcode"),
    ];
    expect(diffIdOf(layerOrder([...entries].reverse()))).toBe(diffIds["nodes/layer-5"]);
  });

  it("are read and written again as they were", () => {
    const path = unpacked("nodes/layer-5.tar");
    const { entries, digest, size } = indexTarFile(path, fs, "layer");
    expect(digest).toBe(diffIds["nodes/layer-5"]);
    expect(size).toBe(fs.statSync(path).size);
    expect(diffIdOf(entries as LayerEntry[])).toBe(digest);
  });

  it("have contents at the offsets that the index gives", () => {
    const path = unpacked("nodes/layer-4.tar");
    const { entries } = indexTarFile(path, fs, "layer");
    const plain = entries.find((entry) => entry.path === "t/plain");
    if (plain?.type !== "file" || plain.content.kind !== "file") throw new Error("expected a file");
    const tar = fs.readFileSync(path);
    expect(tar.subarray(plain.content.offset, plain.content.offset + plain.size).toString()).toBe("hello\n");
    expect(entries).toHaveLength(43);
  });
});

describe("an archive that a real BuildKit unpacked for ADD (IM-32)", () => {
  it("gives the same layer", () => {
    const { entries } = indexTarFile(unpacked("archive/archive.tar"), fs, "archive");
    // BuildKit makes the implied folders while it unpacks, hence with the present time.
    const implied = ["abs", "imp", "imp/lied", "ü"].map((path) => directory(path));
    const expected = createHash("sha256")
      .update(fs.readFileSync(unpacked("archive/layer.tar")))
      .digest("hex");
    expect(diffIdOf(layerOrder([...entries, ...implied]))).toBe(`sha256:${expected}`);
  });
});
