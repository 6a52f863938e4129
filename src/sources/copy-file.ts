import { limits, messageOf, systemErrorCode, unavailable } from "../base/index.js";
import type { Clock, FileSystem } from "../base/index.js";
import { readThrough } from "./hashing.js";
import type { PartialFile } from "./partial-file.js";

export interface CopyContext {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly sizeLimit: number;
  readonly abort: AbortSignal | undefined;
  readonly onBytes: (received: number, total: number | undefined) => void;
}

/** O_RDONLY | O_NONBLOCK of Linux (asm-generic/fcntl.h, the same on x86 and ARM): a pipe without a writer must not block. */
const readWithoutBlocking = 0o4000;

/**
 * Copies a local file into `partial`, from the start; true when its bytes have the expected hash. Only regular files
 * are read: opening a pipe or a device does not block.
 * @throws unavailable `mirror-failed`, `interrupted`, `disk-full`, `store-not-writable`
 */
export async function copyFile(
  context: CopyContext,
  path: string,
  partial: PartialFile,
  expectedHex: string,
): Promise<boolean> {
  const fd = openRegular(context, path);
  try {
    const total = context.fileSystem.fstatSync(fd).size;
    partial.restart();
    await readThrough(
      context,
      fd,
      (piece) => {
        if (partial.size + piece.length > context.sizeLimit)
          throw mirrorFailed(path, "the file grows while it is read");
        partial.write(piece);
        context.onBytes(partial.size, total);
      },
      context.abort,
    );
    return partial.digits() === expectedHex;
  } catch (cause) {
    if (systemErrorCode(cause) === undefined || !isSystemError(cause)) throw cause;
    throw mirrorFailed(path, `cannot be read: ${messageOf(cause)}`, cause);
  } finally {
    context.fileSystem.closeSync(fd);
  }
}

/** Errors of ours carry a `code` too; only the system's have a number. */
function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "errno" in cause;
}

function openRegular(context: CopyContext, path: string): number {
  const { fileSystem: files } = context;
  let fd: number;
  try {
    fd = files.openSync(path, readWithoutBlocking);
  } catch (cause) {
    const isAbsent = systemErrorCode(cause) === "ENOENT";
    throw mirrorFailed(path, isAbsent ? "no such file" : `cannot be read: ${messageOf(cause)}`, cause);
  }
  const stat = files.fstatSync(fd);
  if (stat.isFile() && stat.size <= context.sizeLimit) return fd;
  files.closeSync(fd);
  throw mirrorFailed(
    path,
    stat.isFile()
      ? `has ${String(stat.size)} bytes; a source may have ${String(limits.sourceSize)}`
      : "is no regular file",
  );
}

function mirrorFailed(path: string, reason: string, cause?: unknown): Error {
  return unavailable({ code: "mirror-failed", message: reason, subject: path, cause });
}
