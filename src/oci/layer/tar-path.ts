import type { ByteString, StagewrightError } from "../../base/index.js";
import { limits, rejected } from "../../base/index.js";

/** The longest name in a folder that Linux takes. */
const nameLength = 255;

/** An error about one member of an archive. */
export function refuseMember(code: string, message: string, subject: string, rawName: ByteString): StagewrightError {
  const shown = JSON.stringify(rawName.slice(0, 200));
  return rejected({ code, message: `${message}: ${shown}`, subject, hint: "do not use this archive; ask who made it" });
}

function checkLengths(parts: readonly string[], rawName: ByteString, subject: string): void {
  const fits = rawName.length <= limits.pathLength && parts.every((part) => part.length <= nameLength);
  if (!fits)
    throw refuseMember("tar-path-too-long", "expected a path that Linux takes, found a longer one", subject, rawName);
  if (rawName.includes("\0")) throw refuseMember("tar-path-odd", "expected a path without NUL", subject, rawName);
}

/**
 * The components of a member's name in a layer, none for the root itself. One `./` at the front and one slash at the
 * end of a folder are taken; anything else that is not in its plain form is refused (IM-31).
 * @throws rejected `tar-path-absolute`, `tar-path-escapes`, `tar-path-odd`, `tar-path-too-long`
 */
export function layerPathParts(rawName: ByteString, isDirectory: boolean, subject: string): string[] {
  if (rawName.startsWith("/")) throw refuseMember("tar-path-absolute", "expected a relative path", subject, rawName);
  const inner = rawName.startsWith("./") ? rawName.slice(2) : rawName;
  const plain = isDirectory && inner.endsWith("/") ? inner.slice(0, -1) : inner;
  if ((plain === "" && rawName.startsWith("./")) || rawName === ".") return [];
  const parts = plain.split("/");
  checkLengths(parts, rawName, subject);
  if (parts.includes("..")) throw refuseMember("tar-path-escapes", "expected a path without ..", subject, rawName);
  if (parts.includes("") || parts.includes(".")) {
    throw refuseMember("tar-path-odd", "expected a path in its plain form", subject, rawName);
  }
  return parts;
}

/**
 * The components of a member's name in a source archive, as Docker's unpacker cleans it: slashes at the front, empty
 * and `.` components fall away, `..` takes the component before it (IM-32).
 * @throws rejected `tar-path-escapes` when `..` leaves the root; `tar-path-odd`, `tar-path-too-long`
 */
export function archivePathParts(rawName: ByteString, subject: string): string[] {
  const parts: string[] = [];
  for (const part of rawName.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw refuseMember("tar-path-escapes", "expected a path inside the archive's root", subject, rawName);
    }
  }
  checkLengths(parts, rawName, subject);
  return parts;
}
