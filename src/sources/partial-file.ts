import * as posix from "node:path/posix";

import { rejected } from "../base/index.js";
import type { FileSystem } from "../base/index.js";
import { writing } from "./disk-errors.js";
import { digitsOf, newHash } from "./hashing.js";

/** Mode of a source file (SO-24): what a COPY of it carries into an image must not hang on a umask. */
const sourceMode = 0o644;

/** A source on its way into the store: under a temporary name of this process alone, hashed as it is written. */
export interface PartialFile {
  /** Bytes written so far. */
  readonly size: number;
  /** SHA-256 of them, hexadecimal. */
  digits(): string;
  /** @throws unavailable `disk-full`, `store-not-writable` */
  write(piece: Uint8Array): void;
  /** Back to nothing. */
  restart(): void;
  /**
   * Gives the file its name in the store, if its bytes are the expected ones, and closes it.
   * @throws rejected `hash-mismatch`; unavailable `disk-full`, `store-not-writable`
   */
  publish(): void;
  /** Closes it and leaves what is there for a later fetch to resume. */
  keep(): void;
  /** Closes and removes it. Does nothing after any of the last three. */
  discard(): void;
}

export interface PartialFileNames {
  /** Must not exist. */
  readonly path: string;
  /** The name after {@link PartialFile.publish}. */
  readonly finalPath: string;
  /** The name after {@link PartialFile.keep}. */
  readonly leftPath: string;
  readonly expectedHex: string;
}

/** @throws unavailable `disk-full`, `store-not-writable` */
export function createPartialFile(files: FileSystem, names: PartialFileNames): PartialFile {
  const { path, finalPath, expectedHex } = names;
  const fd = writing(path, () => files.openSync(path, "wx", 0o600));
  let hash = newHash();
  let size = 0;
  let open = true;
  const close = (): void => {
    open = false;
    files.closeSync(fd);
  };
  const discard = (): void => {
    if (!open) return;
    close();
    files.rmSync(path, { force: true });
  };
  return {
    get size() {
      return size;
    },
    digits: () => digitsOf(hash),
    write(piece) {
      let written = 0;
      while (written < piece.length) {
        const from = written;
        written += writing(path, () => files.writeSync(fd, piece, from, piece.length - from, size + from));
      }
      hash.update(piece);
      size += piece.length;
    },
    restart() {
      files.ftruncateSync(fd, 0);
      hash = newHash();
      size = 0;
    },
    publish() {
      checkDigits(digitsOf(hash), expectedHex, path);
      writing(finalPath, () => {
        files.fchmodSync(fd, sourceMode);
        files.fsyncSync(fd);
        files.renameSync(path, finalPath);
        syncFolder(files, posix.dirname(finalPath));
      });
      close();
    },
    keep() {
      if (size === 0) discard();
      if (!open) return;
      close();
      writing(path, () => files.renameSync(path, names.leftPath));
    },
    discard,
  };
}

function checkDigits(found: string, expected: string, subject: string): void {
  if (found === expected) return;
  throw rejected({ code: "hash-mismatch", message: `expected sha256 ${expected}, found ${found}`, subject });
}

/** Without it a power cut may lose the name though the bytes are on the disk. */
function syncFolder(files: FileSystem, folder: string): void {
  const fd = files.openSync(folder, "r");
  try {
    files.fsyncSync(fd);
  } finally {
    files.closeSync(fd);
  }
}
