import { malformed, systemErrorCode } from "../base/index.js";
import type { FileSystem } from "../base/index.js";
import { limits } from "../base/index.js";
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

function readIfPresent(path: string, files: FileSystem): Buffer | undefined {
  try {
    const { size } = files.statSync(path);
    if (size > limits.containerfileSize) {
      throw malformed({ code: "bad-dockerignore", message: "the file is too large", subject: path });
    }
    return files.readFileSync(path);
  } catch (thrown) {
    if (systemErrorCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
