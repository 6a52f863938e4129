import { posix } from "node:path";
import { isUtf8 } from "node:buffer";

import { limits, malformed } from "../../base/index.js";
import { skipSpace, trimSpace } from "./space.js";

/** The files that may hold ignore patterns, first the one that wins: beside the Containerfile, then in the context. */
export interface DockerignoreCandidates {
  /** In the folder of the Containerfile. */
  readonly besideContainerfile: string;
  /** At the root of the build context. */
  readonly inContext: string;
}

/** Names of the ignore files of a Containerfile called `fileName`; where both exist, the first is used alone. */
export function dockerignoreCandidates(fileName: string): DockerignoreCandidates {
  return { besideContainerfile: `${fileName}.dockerignore`, inContext: ".dockerignore" };
}

/**
 * The patterns of an ignore file, cleaned as BuildKit cleans them: comments (a `#` in the first column) and blank lines
 * dropped, blanks at both ends trimmed, `.` and `..` resolved, the leading slash taken away; `!` stays in front.
 * @throws malformed `bad-dockerignore` for a file that is too large or no UTF-8 text.
 */
export function parseDockerignore(raw: Uint8Array | string, fileName = ".dockerignore"): readonly string[] {
  const lines = decode(raw, fileName)
    .replace(/^\ufeff/, "")
    .split("\n");
  const patterns: string[] = [];
  for (const line of lines) {
    if (line.startsWith("#")) continue;
    const pattern = cleanPattern(trimSpace(line));
    if (pattern !== undefined) patterns.push(pattern);
  }
  if (patterns.length > limits.ignorePatterns) {
    throw bad(fileName, `expected at most ${limits.ignorePatterns} patterns, found ${patterns.length}`);
  }
  return patterns;
}

function decode(raw: Uint8Array | string, fileName: string): string {
  if (raw.length > limits.containerfileSize) {
    throw bad(fileName, `expected at most ${limits.containerfileSize} bytes, found ${raw.length}`);
  }
  if (typeof raw === "string") return raw;
  if (!isUtf8(raw)) throw bad(fileName, "expected UTF-8 text, found other bytes");
  return Buffer.from(raw).toString();
}

function cleanPattern(line: string): string | undefined {
  if (line === "") return undefined;
  const exception = line.startsWith("!");
  const written = exception ? line.slice(skipSpace(line, 1)) : line;
  if (written === "") return "!";
  const clean = cleanPath(written);
  const relative = clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
  return exception ? `!${relative}` : relative;
}

/** Go's `filepath.Clean`: unlike `normalize`, no slash at the end. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function bad(fileName: string, message: string): Error {
  return malformed({
    code: "bad-dockerignore",
    subject: fileName,
    message,
    hint: "An ignore file is UTF-8 text with one pattern on each line.",
  });
}
