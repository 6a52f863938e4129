/** Whether a folder is one that nobody but this user (and root) can change or replace (EN-2). */
import { messageOf, systemErrorCode, unavailable, untrusted } from "../../../base/index.js";
import type { FileSystem } from "../../../base/index.js";

/**
 * Checks the folder, all folders above it, and those above the links on the way to it.
 * @returns its real path
 * @throws untrusted `store-not-private`; unavailable `store-io`
 */
export function checkPrivate(root: string, files: FileSystem, ownUid: number): string {
  const absolute = root.startsWith("/") ? root : `${looked(".", () => files.realpathSync("."))}/${root}`;
  const real = looked(root, () => files.realpathSync(absolute));
  checkOwn(real, files, ownUid);
  for (const path of [...prefixesOf(absolute), ...prefixesOf(real)]) checkAbove(path, files, ownUid);
  return real;
}

/** @throws untrusted `store-not-private` unless the path itself is a folder of this user with mode 0700 at most. */
export function checkOwn(path: string, files: FileSystem, ownUid: number): void {
  const stat = looked(path, () => files.lstatSync(path));
  if (stat.isSymbolicLink()) throw notPrivate(path, "it is a symbolic link");
  if (!stat.isDirectory()) throw notPrivate(path, "it is no folder");
  if (stat.uid !== ownUid) throw notPrivate(path, `user ${String(stat.uid)} owns it`);
  if ((stat.mode & 0o077) !== 0) throw notPrivate(path, "others may enter it");
}

/** A folder that others may write to is safe only with the sticky bit, and then only what is ours or root's in it. */
function checkAbove(path: string, files: FileSystem, ownUid: number): void {
  const stat = looked(path, () => files.lstatSync(path));
  if (stat.uid !== 0 && stat.uid !== ownUid) throw notPrivate(path, `user ${String(stat.uid)} owns it`);
  if (stat.isSymbolicLink()) return;
  const sticky = (stat.mode & 0o1000) !== 0;
  if ((stat.mode & 0o022) !== 0 && !sticky) throw notPrivate(path, "others may write to it");
}

/** `/`, `/a`, `/a/b` of `/a/b`: as written, for `a/..` passes through `a`. */
function prefixesOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return ["/", ...parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)];
}

export function notPrivate(path: string, found: string): Error {
  return untrusted({
    code: "store-not-private",
    message: `expected a place that only this user can change, found that ${found}`,
    subject: path,
    hint: "give a folder of your own with --store; a store belongs to one user and has mode 0700",
  });
}

function looked<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (thrown) {
    if (systemErrorCode(thrown) === undefined) throw thrown;
    throw unavailable({ code: "store-io", message: messageOf(thrown), subject: path, cause: thrown });
  }
}
