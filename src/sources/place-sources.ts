import { malformed, systemErrorCode } from "../base/index.js";
import type { FileSystem } from "../base/index.js";
import { writing } from "./disk-errors.js";

/** A stored source and the name it gets. */
export interface PlacedSource {
  /** One path component. */
  readonly fileName: string;
  /** A file of the store, already checked. */
  readonly path: string;
}

/**
 * Fills an existing folder with sources under their names: what a Containerfile sees as `fetch/`. They are further
 * names of the store's files where that can be, and copies elsewhere: whoever uses the folder only reads it.
 * @throws malformed `same-file-name`; unavailable `disk-full`, `store-not-writable`
 */
export function placeSources(files: FileSystem, folder: string, sources: readonly PlacedSource[]): void {
  const placed = new Map<string, string>();
  for (const { fileName, path } of sources) {
    const before = placed.get(fileName);
    if (before === path) continue;
    if (before !== undefined) throw twoOfOneName(fileName);
    placed.set(fileName, path);
    const target = `${folder}/${fileName}`;
    try {
      files.linkSync(path, target);
    } catch (cause) {
      const code = systemErrorCode(cause) ?? "";
      if (!cannotLink.has(code)) throw cause;
      writing(target, () => files.copyFileSync(path, target));
    }
  }
}

function twoOfOneName(fileName: string): Error {
  return malformed({
    code: "same-file-name",
    message: "expected one source of each file name, found two with different hashes",
    subject: fileName,
    hint: 'give one of them another name: file = "…" in its [sources.NAME]',
  });
}

/** Another disk, too many names, or a file system without links. */
const cannotLink = new Set(["EXDEV", "EMLINK", "EPERM", "ENOTSUP", "EOPNOTSUPP"]);
