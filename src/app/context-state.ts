/** What a package's folder holds, by content: one hash over every file, with times standing for content where they can. */
import { createHash } from "node:crypto";

import type { FileSystem } from "../base/index.js";
import { compareText, limits, malformed } from "../base/index.js";

/** The same rule as the tree cache's: times stand for content only once they are safely in the past. */
const settledMilliseconds = 2500;

export interface ContextState {
  /** Hash of names, times, sizes and inodes: equal means that nothing was touched. */
  readonly signature: string;
  /** Hash of names, modes and contents. */
  readonly content: string;
}

interface Found {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly mode: number;
  readonly size: number;
  readonly newest: number;
  readonly identity: string;
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
): ContextState {
  const found: Found[] = [];
  walk(folder, "", files, found);
  const settled = found.every((entry) => entry.newest < now - settledMilliseconds);
  const signature = settled ? sum(found.map((entry) => `${entry.path}\0${entry.identity}`)) : "";
  if (known !== undefined && signature !== "" && known.signature === signature) return known;
  const content = sum(
    found.map((entry) => `${entry.path}\0${entry.kind}\0${String(entry.mode)}\0${hashOf(folder, entry, files)}`),
  );
  return { signature, content };
}

function sum(lines: readonly string[]): string {
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

function walk(root: string, relative: string, files: FileSystem, found: Found[]): void {
  const names = files.readdirSync(relative === "" ? root : `${root}/${relative}`).sort(compareText);
  for (const name of names) {
    const path = relative === "" ? name : `${relative}/${name}`;
    const stat = files.lstatSync(`${root}/${path}`);
    const kind = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "file";
    const newest = Math.max(stat.mtimeMs, stat.ctimeMs);
    const identity = [stat.mode, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino].join(" ");
    found.push({ path, kind, mode: stat.mode & 0o7777, size: stat.size, newest, identity });
    if (found.length > limits.archiveEntries) {
      throw malformed({ code: "context-too-large", message: "a build context has too many entries", subject: root });
    }
    if (kind === "folder") walk(root, path, files, found);
  }
}

const readSize = 1 << 20;

function hashOf(root: string, entry: Found, files: FileSystem): string {
  const path = `${root}/${entry.path}`;
  if (entry.kind === "folder") return "";
  if (entry.kind === "link") return files.readlinkSync(path);
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
