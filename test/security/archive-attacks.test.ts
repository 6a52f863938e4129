/** Archives made to harm: bombs are refused within their limits, and no entry reaches outside (SO-46, SO-47). */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { nodeFileSystem, nodeProcesses } from "../../src/host/index.js";
import { indexTarFile } from "../../src/oci/index.js";
import { createArchiveOpener, type ArchiveOpenerOptions } from "../../src/sources/index.js";
import { temporaryFolder, uid } from "../sources/fixture.js";

let folder: string;
let spools: string;

beforeAll(() => {
  folder = temporaryFolder();
  spools = `${folder}/spools`;
  fs.mkdirSync(spools);
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

async function open(data: Uint8Array, options: Partial<ArchiveOpenerOptions> = {}): Promise<unknown> {
  const path = `${folder}/input`;
  fs.writeFileSync(path, data);
  const effects = { fileSystem: nodeFileSystem, processes: nodeProcesses("/usr/bin:/bin") };
  const opener = createArchiveOpener(effects, { temporaryFolder: () => spools, ...options });
  const opened = await opener.open(path);
  if (opened === undefined) return "copied";
  try {
    return indexTarFile(opened.tarPath, nodeFileSystem, "archive").entries.map((entry) =>
      entry.type === "symlink" || entry.type === "hardlink" ? `${entry.path} → ${entry.target}` : entry.path,
    );
  } finally {
    opened.close();
    expect(fs.readdirSync(spools)).toEqual([]);
  }
}

/** One ustar header (POSIX.1-1988), whatever it says. */
function header(name: string, type: string, link = "", size = 0): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, "latin1");
  block.write("0000644\x000000000\x000000000\x00", 100, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\x0000000000001\0`, 124, "latin1");
  block.write(type, 156, "latin1");
  block.write(link, 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write("0000001\x000000003\0", 329, "latin1");
  block.write("        ", 148, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** A tar of headers: `[name, type, link]`. */
function tarOf(...entries: readonly (readonly [string, string, string?])[]): Buffer {
  return Buffer.concat([...entries.map(([name, type, link]) => header(name, type, link)), Buffer.alloc(1024)]);
}

describe("bombs", () => {
  const bombs: readonly (readonly [string, readonly string[]])[] = [
    ["gzip", ["-1"]],
    ["bzip2", ["-1"]],
    ["xz", ["-0"]],
    ["zstd", ["-q", "-c"]],
  ];
  const size = 8 << 20;
  /** A tar of one large file of zeros. */
  const tar = (): Buffer =>
    Buffer.concat([header("first", "0"), header("zeros", "0", "", size), Buffer.alloc(size + 1024)]);

  it.each(bombs)("in %s end at the ratio, above its floor", async (program, args) => {
    const bomb = execFileSync(program, args, { input: tar(), maxBuffer: 1 << 28 });
    if (bomb.length * 1000 < size) {
      await expect(open(bomb, { ratioFloor: 1 << 20 })).rejects.toMatchObject({
        kind: "rejected",
        code: "archive-bomb",
      });
    } else expect(program).toBe("gzip");
    await expect(open(bomb, { sizeLimit: size / 2 })).rejects.toMatchObject({
      kind: "rejected",
      code: "archive-bomb",
      subject: `${folder}/input`,
    });
    expect(fs.readdirSync(spools)).toEqual([]);
    expect(await open(bomb)).toEqual(["first", "zeros"]);
  });

  it("that are no archive are refused too: they are found out only after the first byte", async () => {
    const zeros = execFileSync("xz", ["-0"], { input: Buffer.alloc(size) });
    await expect(open(zeros, { ratioFloor: 1 << 20 })).rejects.toMatchObject({ code: "archive-bomb" });
  });

  it("that want more memory than there may be fail as damaged archives, not as an exhausted machine", async () => {
    // A frame of zstd whose header asks for a window of 3.75 TiB (RFC 8878 section 3.1.1.1.2).
    const frame = Buffer.from("28b52ffd00ff0100000000", "hex");
    expect(await open(frame)).toBe("copied");
  });

  it("of empty gzip members end after so many of them", async () => {
    const member = execFileSync("gzip", ["-n"], { input: "" });
    const many = Buffer.concat(Array.from({ length: 60 }, () => member));
    const input = Buffer.concat([many, execFileSync("gzip", [], { input: tarOf(["f", "0"]) })]);
    expect(await open(input, { memberLimit: 100 })).toEqual(["f"]);
    expect(await open(input, { memberLimit: 50 })).toBe("copied");
  });
});

describe("paths that lead out", () => {
  it.each([
    ["an absolute path", [["/etc/shadow", "0"]]],
    ["a path with ..", [["../../etc/shadow", "0"]]],
    ["a path with .. in the middle", [["a/../../../etc/shadow", "0"]]],
    [
      "a file through a link to the root",
      [
        ["l", "2", "/"],
        ["l/etc/shadow", "0"],
      ],
    ],
    [
      "a file through a link with ..",
      [
        ["l", "2", "../../.."],
        ["l/etc/shadow", "0"],
      ],
    ],
    ["a hard link to a file outside", [["l", "1", "/etc/shadow"]]],
    ["a hard link with ..", [["l", "1", "../../etc/shadow"]]],
  ] as const)("%s stays inside, or is refused", async (_, entries) => {
    let found: unknown;
    try {
      found = await open(tarOf(...entries));
    } catch (error) {
      expect(error).toMatchObject({ kind: "rejected" });
      return;
    }
    for (const entry of found as string[]) {
      const path = entry.split(" → ", 1)[0] ?? "";
      expect(path.startsWith("/") || path.split("/").includes("..")).toBe(false);
    }
    expect(found).toEqual(expect.arrayContaining(["etc/shadow"]));
  });

  it("a link that points outside is kept as it is: whoever follows it does so inside the image", async () => {
    expect(await open(tarOf(["l", "2", "/etc/shadow"]))).toEqual(["l → /etc/shadow"]);
  });

  it("a loop of links ends", async () => {
    await expect(open(tarOf(["a", "2", "b"], ["b", "2", "a"], ["a/f", "0"]))).rejects.toMatchObject({
      kind: "rejected",
    });
  });
});

it("devices and pipes are entries of the layer: nothing is made on this machine while they are read", async () => {
  const before = fs.readdirSync(folder);
  expect(await open(tarOf(["null", "3"], ["disk", "4"], ["pipe", "6"]))).toEqual(["disk", "null", "pipe"]);
  expect(fs.readdirSync(folder).sort()).toEqual([...new Set([...before, "input"])].sort());
});

it("a name with a NUL or a line break stays a name", async () => {
  const found = await open(tarOf(["a\nb", "0"]));
  expect(found).toEqual(["a\nb"]);
});

describe("a decompressor", () => {
  it("gets its input as a descriptor: a name that looks like an option or a command is none", async () => {
    const path = `${folder}/--help; touch ${folder}/owned`.replaceAll("/owned", "-owned");
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(path, execFileSync("xz", [], { input: tarOf(["f", "0"]) }));
    const effects = { fileSystem: nodeFileSystem, processes: nodeProcesses("/usr/bin:/bin") };
    const opened = await createArchiveOpener(effects, { temporaryFolder: () => spools }).open(path);
    expect(opened).toBeDefined();
    opened?.close();
  });

  const canMount = uid === 0;
  it.skipIf(!canMount).each(["gzip", "xz"])(
    "on a full disk (%s) ends as a full disk, not as a damaged archive",
    async (program) => {
      if (!canMount) console.warn("SKIPPED: a full disk needs root to mount one");
      const small = temporaryFolder();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", small]);
      try {
        const input = execFileSync(program, ["-1", "-c"], {
          input: execFileSync("tar", ["c", "-C", "/usr/bin", "bash"], { maxBuffer: 1 << 28 }),
          maxBuffer: 1 << 28,
        });
        await expect(open(input, { temporaryFolder: () => small })).rejects.toMatchObject({
          kind: "unavailable",
          code: "disk-full",
        });
        expect(fs.readdirSync(small)).toEqual([]);
      } finally {
        spawnSync("umount", [small]);
        fs.rmSync(small, { recursive: true });
      }
    },
  );
});
