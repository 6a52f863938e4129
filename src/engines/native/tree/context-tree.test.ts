import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { listing } from "../../../../test/support/engine-tree.js";
import { createIgnoreMatcher } from "../../../graph/index.js";
import { ContentHasher } from "./content.js";
import { attributesFromStat, readContext } from "./context-tree.js";
import { treeIdentity } from "./tree-identity.js";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "stagewright-context-"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function read(ignore?: readonly string[]): string[] {
  const filter = ignore === undefined ? undefined : createIgnoreMatcher(ignore);
  return listing(readContext({ folder: root, placed: [] }, fs, filter));
}

function put(...paths: string[]): void {
  for (const path of paths) {
    fs.mkdirSync(join(root, path, ".."), { recursive: true });
    fs.writeFileSync(join(root, path), path, { mode: 0o644 });
  }
}

describe("a folder as a context", () => {
  it("has files, folders, links and pipes, all of root, and no sockets", async () => {
    put("d/f");
    fs.symlinkSync("../../etc/passwd", join(root, "l"));
    execFileSync("mkfifo", ["-m", "600", join(root, "p")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, "s"), resolve));
    const found = read();
    await new Promise((resolve) => server.close(resolve));
    expect(found).toEqual(["/d 755 /", "/d/f 644 …", "/l 777 -> ../../etc/passwd", "/p 600 fifo"]);
  });

  it("keeps names that are not UTF-8, and several names of one file", () => {
    fs.writeFileSync(Buffer.from(`${root}/\xff\xfe`, "latin1"), "x", { mode: 0o600 });
    fs.linkSync(Buffer.from(`${root}/\xff\xfe`, "latin1"), Buffer.from(`${root}/a`, "latin1"));
    expect(read()).toEqual(["/a 600 …", "/\xff\xfe 600 = /a"]);
  });

  it("leaves out what is ignored; a folder that is ignored stays for what is not", () => {
    put("a/x.o", "a/x.c", "b/y.o", "keep/z.o", "node_modules/m/f", "node_modules/kept");
    expect(read(["**/*.o", "!keep/z.o", "node_modules", "!node_modules/kept"])).toEqual([
      "/a 755 /",
      "/a/x.c 644 …",
      "/b 755 /",
      "/keep 755 /",
      "/keep/z.o 644 …",
      "/node_modules 755 /",
      "/node_modules/kept 644 …",
    ]);
  });

  it("has placed files over those of the folder, under any path", () => {
    put("fetch/old", "file");
    const placed = ["fetch/new", "file/below", "a/b/c"].map((path) => ({
      path,
      file: join(root, "file"),
      sha256: "0".repeat(64),
      mode: 0o600,
    }));
    const found = listing(readContext({ folder: root, placed }, fs, undefined));
    expect(found).toEqual([
      "/a 755 /",
      "/a/b 755 /",
      "/a/b/c 600 …",
      "/fetch 755 /",
      "/fetch/new 600 …",
      "/fetch/old 644 …",
      "/file 755 /",
      "/file/below 600 …",
    ]);
  });

  it("that is not there is an error with its path", () => {
    expect(() => readContext({ folder: `${root}/none`, placed: [] }, fs, undefined)).toThrow(
      expect.objectContaining({ kind: "unavailable", subject: `${root}/none` }),
    );
  });

  it("has times to the nanosecond, before 1970 too", () => {
    put("f");
    for (const [time, seconds, nanoseconds] of [
      ["1969-12-31 23:59:58.25 UTC", -2, 250_000_000],
      ["2001-09-09 01:46:40.000000001 UTC", 1_000_000_000, 1],
    ] as const) {
      execFileSync("touch", ["-d", time, join(root, "f")]);
      const stat = fs.lstatSync(join(root, "f"), { bigint: true });
      expect(attributesFromStat(stat)).toMatchObject({ mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds });
    }
  });
});

describe("the name of what a source holds", () => {
  const identity = (path = "/"): string =>
    JSON.stringify(treeIdentity(readContext({ folder: root, placed: [] }, fs, undefined), path, new ContentHasher(fs)));

  it("is the same for the same content, whatever the times", () => {
    put("d/f", "g");
    const before = [identity(), identity("/g"), identity("/d")];
    for (const path of ["d/f", "g", "d"]) fs.utimesSync(join(root, path), 5, 5);
    expect([identity(), identity("/g"), identity("/d")]).toEqual(before);
  });

  it.each<readonly [string, () => void]>([
    [
      "content of the same size and time",
      () => {
        const { atime, mtime } = fs.statSync(join(root, "g"));
        fs.writeFileSync(join(root, "g"), "G");
        fs.utimesSync(join(root, "g"), atime, mtime);
      },
    ],
    ["mode", () => fs.chmodSync(join(root, "g"), 0o600)],
    ["name", () => fs.renameSync(join(root, "g"), join(root, "h"))],
    ["a new file", () => put("d/e")],
    [
      "a hard link in a file's place",
      () => {
        fs.rmSync(join(root, "d/f"));
        fs.linkSync(join(root, "g"), join(root, "d/f"));
      },
    ],
    [
      "a link's target",
      () => {
        fs.rmSync(join(root, "l"));
        fs.symlinkSync("x", join(root, "l"));
      },
    ],
  ])("changes with %s", (_, change) => {
    put("d/f", "g");
    fs.symlinkSync("g", join(root, "l"));
    const before = identity();
    change();
    expect(identity()).not.toBe(before);
  });

  it("tells a file that is missing from an empty one", () => {
    fs.writeFileSync(join(root, "f"), "");
    expect(identity("/f")).not.toBe(identity("/none"));
  });
});

describe("content", () => {
  const node = (size: number, sha256?: string) => ({
    ...{ type: "file" as const, mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1, mtimeNanoseconds: 0, size },
    ...(sha256 === undefined ? {} : { sha256 }),
    content: { kind: "file" as const, path: join(root, "f"), offset: 0 },
  });

  it("that is shorter than its entry, cannot be read, or is other than known is an error", () => {
    fs.writeFileSync(join(root, "f"), "four");
    const hasher = new ContentHasher(fs);
    expect(() => hasher.hashOf(node(5))).toThrow(expect.objectContaining({ code: "content-changed" }));
    expect(() => hasher.readSmall(node(4, "0".repeat(64)), 10)).toThrow(
      expect.objectContaining({ code: "content-changed" }),
    );
    expect(() => hasher.readSmall(node(4), 3)).toThrow(expect.objectContaining({ code: "file-too-large" }));
    expect(hasher.readSmall(node(4), 4).toString()).toBe("four");
    fs.rmSync(join(root, "f"));
    expect(() => hasher.hashOf(node(4))).toThrow(
      expect.objectContaining({ kind: "unavailable", code: "content-unreadable" }),
    );
  });
});
