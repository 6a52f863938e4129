import { posix } from "node:path";

/** A path given on the command line, made absolute. */
export function resolvePath(folder: string, path: string): string {
  return posix.resolve(folder, path);
}
