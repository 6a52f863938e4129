/** What a package's folder holds, by content: one hash over every file, with times standing for content where they can. */
import { createHash, hash as hashAtOnce } from "node:crypto";

import type { Stats } from "node:fs";

import type { ByteString, FileSystem } from "../base/index.js";
import { compareByteStrings, fromByteString, limits, malformed, toByteString } from "../base/index.js";

/** The same rule as the tree cache's: times stand for content only once they are safely in the past. */
const settledMilliseconds = 2500;

/** What is asked of a folder at two moments to know that nothing touched it in between, not even for a while. */
export interface ContextReading {
  readonly state: ContextState;
  /** Hash of names, times, sizes and inodes, whether they are settled or not. */
  readonly stamp: string;
}

export interface ContextState {
  /** Hash of names, times, sizes and inodes: equal means that nothing was touched. */
  readonly signature: string;
  /** Hash of names, modes and contents. */
  readonly content: string;
}

interface Found {
  /** Below the folder; bytes as latin1. */
  readonly path: ByteString;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly mode: number;
  readonly size: number;
  /** Times beyond this are one time in an image. */
  readonly imageSeconds: number;
  readonly newest: number;
  readonly identity: string;
  /** Which of several names of one file are the same file. */
  readonly inode: string;
}

/**
 * @param known what an earlier run found; its content is taken over where the signature is still the same.
 * @param now milliseconds since the epoch, from before the folder is looked at.
 */
export function readContextState(
  folder: string,
  files: FileSystem,
  known: ContextState | undefined,
  now: number,
): ContextReading {
  const found: Found[] = [];
  const root = toByteString(folder);
  walk(root, "", files, found);
  const settled = found.every((entry) => entry.newest < now - settledMilliseconds);
  const stamp = stampOf(found);
  const signature = settled ? stamp : "";
  if (known !== undefined && signature !== "" && known.signature === signature) return { state: known, stamp };
  const firstNames = new Map<string, ByteString>();
  const lines = found.map((entry) => {
    const first = firstNames.get(entry.inode) ?? "";
    if (first === "") firstNames.set(entry.inode, entry.path);
    const attributes = [entry.path, first, entry.kind, String(entry.mode), String(entry.imageSeconds)];
    return [...attributes, hashOf(root, entry, files)].join("\0");
  });
  return { state: { signature, content: sum(lines) }, stamp };
}

/** The stamp alone, without a look into the files. */
export function readContextStamp(folder: string, files: FileSystem): string {
  const found: Found[] = [];
  walk(toByteString(folder), "", files, found);
  return stampOf(found);
}

function stampOf(found: readonly Found[]): string {
  return sum(found.map((entry) => `${entry.path}\0${entry.identity}`));
}

function sum(lines: readonly string[]): string {
  return hashAtOnce("sha256", lines.join("\n"), "hex");
}

function walk(root: ByteString, relative: ByteString, files: FileSystem, found: Found[]): void {
  const names = files.readdirSync(onDisk(root, relative), { encoding: "latin1" }).sort(compareByteStrings);
  for (const name of names) {
    const path = relative === "" ? name : `${relative}/${name}`;
    const entry = describe(path, files.lstatSync(onDisk(root, path)));
    found.push(entry);
    if (found.length > limits.archiveEntries) {
      throw malformed({
        code: "context-too-large",
        message: "a build context has too many entries",
        subject: fromByteString(root),
      });
    }
    if (entry.kind === "folder") walk(root, path, files, found);
  }
}

/** What an image would show of it: owners, for instance, it does not keep. */
function describe(path: ByteString, stat: Stats): Found {
  const { mode, size, mtimeMs, ctimeMs, ino, dev } = stat;
  const kind = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : stat.isFile() ? "file" : "other";
  return {
    ...{ path, kind, mode, size },
    imageSeconds: Math.min(Math.floor(mtimeMs / 1000), 1),
    newest: Math.max(mtimeMs, ctimeMs),
    identity: [mode, size, mtimeMs, ctimeMs, ino].join(" "),
    inode: kind === "folder" ? path : `${String(dev)}:${String(ino)}`,
  };
}

/** As it is where it is ASCII, since bytes cost an allocation. */
function onDisk(root: ByteString, path: ByteString): Buffer | string {
  const whole = path === "" ? root : `${root}/${path}`;
  return /[^\x01-\x7f]/.test(whole) ? Buffer.from(whole, "latin1") : whole;
}

const readSize = 1 << 20;

function hashOf(root: ByteString, entry: Found, files: FileSystem): string {
  const path = onDisk(root, entry.path);
  // A named pipe would wait for whoever writes to it.
  if (entry.kind === "folder" || entry.kind === "other") return "";
  if (entry.kind === "link") return files.readlinkSync(path, { encoding: "latin1" });
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(readSize, entry.size + 1));
  const fd = files.openSync(path, "r");
  try {
    for (let got = files.readSync(fd, buffer); got > 0; got = files.readSync(fd, buffer))
      hash.update(buffer.subarray(0, got));
  } finally {
    files.closeSync(fd);
  }
  return hash.digest("hex");
}
