import { posix } from "node:path";

/** A path as Go's path.Join("/", path) cleans it: absolute, no trailing slash but for the root. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(`/${path}`);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** `path` as seen from `folder`. Empty means the folder itself. */
export function resolvePath(folder: string, path: string): string {
  return path.startsWith("/") ? cleanPath(path) : cleanPath(`${folder}/${path}`);
}

/** WORKDIR as the configuration keeps it: an absolute path as it was written, a relative one joined and cleaned. */
export function nextWorkingDirectory(current: string, path: string): string {
  if (path.startsWith("/")) return path;
  return path === "" && current.startsWith("/") ? current : resolvePath(current, path);
}

/**
 * Destination of COPY and ADD: absolute, with a trailing slash where a folder is meant, namely for `.`, the empty
 * word, a trailing slash, and `/.` at the end of an absolute path (a relative one loses it, as in BuildKit).
 */
export function resolveDestination(folder: string, word: string): string {
  const isFolder = word === "" || word === "." || word.endsWith("/") || (word.startsWith("/") && word.endsWith("/."));
  const path = resolvePath(folder, word);
  return isFolder && path !== "/" ? `${path}/` : path;
}

/** Whether a heredoc's word can name one file of a folder. */
export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}
