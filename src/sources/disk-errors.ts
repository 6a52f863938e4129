import { messageOf, StagewrightError, systemErrorCode, unavailable } from "../base/index.js";

/**
 * Turns the system's refusal to write into an error for a person; anything else comes back as it was.
 * Codes: `disk-full`, `store-not-writable`.
 */
export function asDiskError(cause: unknown, path: string): unknown {
  if (cause instanceof StagewrightError) return cause;
  const code = systemErrorCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return diskFull(path, messageOf(cause), cause);
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR") {
    return unavailable({
      code: "store-not-writable",
      message: `cannot write: ${messageOf(cause)}`,
      subject: path,
      hint: "choose a folder of your own with --store",
      cause,
    });
  }
  return cause;
}

export function diskFull(path: string, reason: string, cause?: unknown): StagewrightError {
  return unavailable({
    code: "disk-full",
    message: `no room to write: ${reason}`,
    subject: path,
    hint: "free some space there, or choose another folder with --store",
    cause,
  });
}

/** Does `work`, a write to `path`. @throws unavailable `disk-full`, `store-not-writable` */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw asDiskError(cause, path);
  }
}
