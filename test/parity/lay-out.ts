/** Puts a case on the disk: git keeps no owners, times, links or modes, so all of that comes from case.json. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { basename, join } from "node:path";

import { renderArchive } from "./archive.js";
import { type ContextEntry, defaultMtime, type ParityCase, pathBytes } from "./case.js";

export interface LaidOutCase {
  readonly containerfile: string;
  readonly context: string;
  /** Named contexts that are folders, `tools` among them where the case asks for it. */
  readonly contexts: Readonly<Record<string, string>>;
  /** Files that hold the secrets, by id. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * @param folder new, with a name that was never used: BuildKit takes a context of the same name for the one it has seen
 * before, and then sends only files of another size or time.
 * @param tools the folder that {@link layOutTools} made.
 */
export function layOutCase(parityCase: ParityCase, folder: string, tools: string): LaidOutCase {
  fs.mkdirSync(folder, { recursive: true });
  const containerfile = join(folder, "Containerfile");
  fs.writeFileSync(containerfile, parityCase.containerfile, "latin1");
  if (parityCase.containerfileIgnore !== undefined) {
    fs.writeFileSync(join(folder, "Containerfile.dockerignore"), parityCase.containerfileIgnore);
  }
  const context = join(folder, `${basename(folder)}.context`);
  layOutFolder(parityCase.context, context);
  const contexts: Record<string, string> = parityCase.tools ? { tools } : {};
  for (const [name, entries] of Object.entries(parityCase.contexts)) {
    contexts[name] = `${context}-${name}`;
    layOutFolder(entries, contexts[name]);
  }
  const secrets: Record<string, string> = {};
  for (const [id, text] of Object.entries(parityCase.secrets)) {
    secrets[id] = join(folder, `secret-${id}`);
    fs.writeFileSync(secrets[id], text);
  }
  return { containerfile, context, contexts, secrets };
}

/** The machine's busybox (a static one) and a link for each applet that cases use. */
export function layOutTools(folder: string): string {
  fs.mkdirSync(folder, { recursive: true });
  const busybox = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  fs.copyFileSync(busybox, join(folder, "busybox"));
  fs.chmodSync(join(folder, "busybox"), 0o755);
  for (const applet of applets) {
    fs.rmSync(join(folder, applet), { force: true });
    fs.symlinkSync("busybox", join(folder, applet));
  }
  return folder;
}

const applets = (
  "[ cat chmod chown cp cut dd echo env false find grep head hostname id ln ls mkdir mkfifo mknod mv pwd readlink rm rmdir " +
  "sed seq sh sleep sort stat tail tar touch tr true truncate umask uname wc awk basename cmp od ps mount umount unshare " +
  "setpriv chroot date swapon insmod ip ifconfig nc tty xargs test printf sha256sum"
).split(" ");

export function layOutFolder(entries: readonly ContextEntry[], folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.chmodSync(folder, 0o755);
  const at = (path: string) => Buffer.concat([Buffer.from(`${folder}/`), pathBytes(path)]);
  for (const entry of entries) {
    makeParents(folder, entry.path);
    make(entry, at(entry.path), at);
  }
  for (const entry of entries) setOwnerAndMode(entry, at(entry.path));
  // Last and from the leaves up: making a child changes its folder's time.
  for (const path of foldersAndEntries(entries)) {
    const entry = entries.find((e) => e.path === path);
    if (entry?.type === "hardlink") continue; // its time is the first name's
    setTime(at(path), entry?.mtime ?? defaultMtime);
  }
  fs.utimesSync(folder, defaultMtime, defaultMtime);
}

function makeParents(folder: string, path: string): void {
  const parent = path.split("/").slice(0, -1);
  if (parent.length === 0) return;
  fs.mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), pathBytes(parent.join("/"))]), {
    recursive: true,
    mode: 0o755,
  });
}

function make(entry: ContextEntry, path: Buffer, at: (path: string) => Buffer): void {
  switch (entry.type) {
    case "file":
      return fs.writeFileSync(path, entry.text);
    case "base64":
      return fs.writeFileSync(path, Buffer.from(entry.base64, "base64"));
    case "fill":
      return fs.writeFileSync(path, Buffer.alloc(entry.size, entry.text));
    case "tar":
      return fs.writeFileSync(path, renderArchive(entry.members, entry.compression));
    case "directory":
      fs.mkdirSync(path, { recursive: true });
      return;
    case "symlink":
      return fs.symlinkSync(pathBytes(entry.target), path);
    case "hardlink":
      return fs.linkSync(at(entry.target), path);
    case "fifo":
      execFileSync("mkfifo", [path.toString()]);
  }
}

function setOwnerAndMode(entry: ContextEntry, path: Buffer): void {
  if (entry.type === "hardlink") return;
  // Owners of context files never reach an image, so a user who may not give files away lays out the same case.
  if ((entry.uid !== undefined || entry.gid !== undefined) && process.getuid?.() === 0) {
    fs.lchownSync(path, entry.uid ?? 0, entry.gid ?? 0);
  }
  if (entry.type === "symlink") return;
  fs.chmodSync(path, parseInt(entry.mode ?? (entry.type === "directory" ? "0755" : "0644"), 8));
}

/** Every path of the context, deepest first. */
function foldersAndEntries(entries: readonly ContextEntry[]): string[] {
  const all = new Set<string>();
  for (const entry of entries) {
    const components = entry.path.split("/");
    components.forEach((_, i) => all.add(components.slice(0, i + 1).join("/")));
  }
  return [...all].sort((a, b) => b.split("/").length - a.split("/").length);
}

function setTime(path: Buffer, mtime: number): void {
  // Node takes a negative time for "now"; touch does not.
  if (mtime < 0) execFileSync("touch", ["-h", "-d", `@${mtime}`, path.toString()]);
  else fs.lutimesSync(path, mtime, mtime);
}
