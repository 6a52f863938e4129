/** Rules EN-2 to EN-6: a store that somebody else could change is refused, and nothing in it is followed out of it. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StagewrightError } from "../../src/base/index.js";
import type { Store } from "../../src/engines/index.js";
import { openStore } from "../../src/engines/index.js";
import { nodeClock, nodeFileSystem } from "../../src/host/index.js";
import { EngineFolders, buildText, openEngine, thrownBy } from "../engine/in-process.js";

const uid = process.getuid?.() ?? 0;
const asRoot = uid === 0;
if (!asRoot) console.warn("SKIPPED: folders of other users are tested as root only");
const somebody = 54_321;

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "stagewright-store-"));
});
afterEach(() => execFileSync("rm", ["-rf", "--", folder]));

function open(root: string): Store {
  return openStore(root, { files: nodeFileSystem, clock: nodeClock, uid, owner: "test" });
}

function refusal(root: string): {
  readonly code: string;
  readonly subject: string | undefined;
  readonly message: string;
} {
  try {
    open(root);
  } catch (thrown) {
    if (thrown instanceof StagewrightError) return thrown;
    throw thrown;
  }
  throw new Error("the store was opened");
}

function makeStore(name = "store"): string {
  const root = join(folder, name);
  open(root);
  return root;
}

describe("a store", () => {
  it("is made for its user alone (EN-2)", () => {
    const root = makeStore();
    for (const path of [root, ...fs.readdirSync(root).map((name) => join(root, name))])
      expect(fs.statSync(path).mode & 0o077, path).toBe(0);
  });

  it.each([0o750, 0o770, 0o701, 0o777, 0o1777])("with mode %o is refused (EN-2)", (mode) => {
    const root = makeStore();
    fs.chmodSync(root, mode);
    expect(refusal(root)).toMatchObject({ kind: "untrusted", code: "store-not-private", subject: root });
  });

  it("in a folder that others may write to is refused; the sticky bit makes it safe (EN-2)", () => {
    const root = makeStore();
    fs.chmodSync(folder, 0o777);
    expect(refusal(root)).toMatchObject({ code: "store-not-private", subject: folder });
    fs.chmodSync(folder, 0o1777);
    open(root);
  });

  it("that is a file, or has a file for a folder, is refused", () => {
    fs.writeFileSync(join(folder, "file"), "");
    expect(refusal(join(folder, "file")).code).toMatch(/store-io|store-not-private/);
    const root = makeStore();
    fs.rmdirSync(join(root, "blobs"));
    fs.writeFileSync(join(root, "blobs"), "", { mode: 0o600 });
    expect(refusal(root).code).toMatch(/store-io|store-not-private/);
  });

  it("of another version is refused with what to do", () => {
    const root = makeStore();
    fs.writeFileSync(join(root, "version"), "99\u001b[2J\n");
    expect(refusal(root)).toMatchObject({
      kind: "malformed",
      code: "store-version",
      message: expect.stringContaining("99\\u001b") as string,
    });
    fs.writeFileSync(join(root, "version"), "");
    open(root);
  });
});

describe.skipIf(!asRoot)("a store and other users", () => {
  it.each([
    ["of another user", (root: string) => fs.chownSync(root, somebody, 0), ""],
    ["below a folder of another user", () => fs.chownSync(folder, somebody, 0), undefined],
    ["with a folder of another user", (root: string) => fs.chownSync(join(root, "blobs"), somebody, 0), "/blobs"],
    ["with a folder that others may enter", (root: string) => fs.chmodSync(join(root, "steps"), 0o755), "/steps"],
  ])("%s is refused (EN-2)", (_, change, below) => {
    const root = makeStore();
    change(root);
    const subject = below === undefined ? folder : root + below;
    expect(refusal(root)).toMatchObject({ kind: "untrusted", code: "store-not-private", subject });
  });

  it("reached by a link is checked at both ends (EN-3)", () => {
    const root = makeStore();
    const link = join(folder, "link");
    fs.symlinkSync(root, link);
    expect(open(link).root).toBe(root);
    fs.lchownSync(link, somebody, 0);
    expect(refusal(link)).toMatchObject({ code: "store-not-private", subject: link });
    const open_ = join(folder, "open");
    fs.mkdirSync(open_);
    fs.chmodSync(open_, 0o777);
    fs.symlinkSync(root, join(open_, "link"));
    expect(refusal(join(open_, "link"))).toMatchObject({ code: "store-not-private", subject: open_ });
  });

  it("whose folder was replaced by a link is refused (EN-3)", () => {
    const root = makeStore();
    fs.rmdirSync(join(root, "blobs"));
    fs.mkdirSync(join(folder, "elsewhere"), { mode: 0o700 });
    fs.symlinkSync(join(folder, "elsewhere"), join(root, "blobs"));
    expect(refusal(root)).toMatchObject({ code: "store-not-private", subject: join(root, "blobs") });
  });

  it.each([
    ["a link", (path: string) => (fs.rmSync(path), fs.symlinkSync("/etc/passwd", path))],
    ["another's", (path: string) => fs.chownSync(path, somebody, 0)],
    ["for others to write", (path: string) => fs.chmodSync(path, 0o602)],
    ["for a group to write", (path: string) => fs.chmodSync(path, 0o620)],
  ])("with a record that is %s is refused (EN-4)", (_, change) => {
    const root = makeStore();
    const store = open(root);
    store.writeRecord("steps", "key", { layer: "x" });
    expect(store.readRecord("steps", "key")).toEqual({ layer: "x" });
    change(store.path("steps", "key.json"));
    for (const read of [() => store.readRecord("steps", "key"), () => store.has("steps", "key.json")])
      expect(read).toThrow(
        expect.objectContaining({ code: "store-not-private", subject: store.path("steps", "key.json") }),
      );
  });

  it("with a layer that is a link or another's ends the build (EN-4)", async () => {
    const folders = new EngineFolders();
    const store = folders.fresh("store");
    const context = folders.fresh("context");
    fs.writeFileSync(join(context, "f"), "x");
    const request = { text: "FROM scratch\nCOPY f /f\n", context };
    const first = await openEngine(store);
    await buildText(first.engine, request);
    await first.close();
    const [tar = ""] = fs.readdirSync(join(store, "blobs")).map((name) => join(store, "blobs", name));
    const data = fs.readFileSync(tar);
    for (const change of [
      () => fs.chownSync(tar, somebody, 0),
      () => {
        fs.rmSync(tar);
        fs.writeFileSync(join(folders.folder, "outside"), data, { mode: 0o600 });
        fs.symlinkSync(join(folders.folder, "outside"), tar);
      },
    ]) {
      change();
      const opened = await openEngine(store);
      expect(await thrownBy(buildText(opened.engine, request))).toMatchObject({
        kind: "untrusted",
        code: "store-not-private",
      });
      await opened.close();
    }
    expect(fs.readFileSync(join(folders.folder, "outside"))).toEqual(data);
    folders.remove();
  });
});

describe("records", () => {
  it("under another name, or with another bit, are none (EN-5)", () => {
    const store = open(makeStore());
    const value = { layer: "a".repeat(64), executedAt: 1_700_000_000_000 };
    store.writeRecord("steps", "one", value);
    const data = fs.readFileSync(store.path("steps", "one.json"));
    fs.copyFileSync(store.path("steps", "one.json"), store.path("steps", "two.json"));
    fs.copyFileSync(store.path("steps", "one.json"), store.path("layers", "one.json"));
    expect(store.readRecord("steps", "two")).toBeUndefined();
    expect(store.readRecord("layers", "one")).toBeUndefined();
    for (let bit = 0; bit < data.length * 8; bit += 5) {
      const changed = Buffer.from(data);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fs.writeFileSync(store.path("steps", "one.json"), changed);
      expect(store.readRecord("steps", "one"), `bit ${String(bit)}`).toBeUndefined();
    }
    for (let length = 0; length < data.length; length += 7) {
      fs.writeFileSync(store.path("steps", "one.json"), data.subarray(0, length));
      expect(store.readRecord("steps", "one"), `${String(length)} bytes`).toBeUndefined();
    }
  });
});
