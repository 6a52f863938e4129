import type { FileSystem } from "../base/index.js";
import { limits, malformed } from "../base/index.js";
import { dockerignoreCandidates, parseDockerignore } from "../tree/index.js";

/**
 * The ignore patterns of a build context: those of the file beside the Containerfile, else of the context's own file.
 * @throws malformed `bad-dockerignore`
 */
export function readIgnorePatterns(contextFolder: string, containerfile: string, files: FileSystem): readonly string[] {
  const slash = containerfile.lastIndexOf("/");
  const { besideContainerfile, inContext } = dockerignoreCandidates(containerfile.slice(slash + 1));
  const beside = slash < 0 ? contextFolder : containerfile.slice(0, slash);
  for (const path of [`${beside}/${besideContainerfile}`, `${contextFolder}/${inContext}`]) {
    const raw = readIfPresent(path, files);
    if (raw !== undefined) return parseDockerignore(raw, path);
  }
  return [];
}

/** Only a plain file: a link could lead to a file that no cache key knows of, and a pipe waits for ever. */
function readIfPresent(path: string, files: FileSystem): Buffer | undefined {
  const stat = files.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile()) throw refused(path, "expected a regular file, found another kind");
  if (stat.size > limits.containerfileSize) {
    throw refused(path, `expected at most ${String(limits.containerfileSize)} bytes, found ${String(stat.size)}`);
  }
  return files.readFileSync(path);
}

function refused(path: string, message: string): Error {
  return malformed({
    code: "bad-dockerignore",
    message,
    subject: path,
    hint: "put a plain file of moderate size here",
  });
}
