import type { ByteString } from "../../base/index.js";
import { limits, rejected } from "../../base/index.js";
import type { NodeEntry } from "./entry.js";
import type { RawTarEntry } from "./tar-scanner.js";
import { refuseMember } from "./tar-path.js";

/** The largest owner number; the one above it means "leave it" to the kernel. */
const maxOwner = 0xfffffffe;
const maxDevice = 0xfffff;

/** Where an archive is, and what it is called in messages. */
export interface TarSource {
  /** Path under which the contents will be read: that of the uncompressed tar. */
  readonly contentPath: ByteString;
  readonly subject: string;
}

/** An entry of everything but a hard link, made of what a tar header says. Undefined for a hard link. */
export function nodeEntryOf(raw: RawTarEntry, path: ByteString, source: TarSource): NodeEntry | undefined {
  checkRanges(raw, source.subject);
  const common = {
    path,
    mode: raw.mode,
    uid: raw.uid,
    gid: raw.gid,
    mtimeSeconds: raw.mtimeSeconds,
    mtimeNanoseconds: raw.mtimeNanoseconds,
    ...(raw.capability === undefined ? {} : { xattrs: { "security.capability": raw.capability } }),
  };
  switch (raw.flag) {
    case "0":
      return { ...common, type: "file", size: raw.size, content: contentOf(raw, source) };
    case "1":
      return undefined;
    case "2":
      return { ...common, type: "symlink", target: linkTarget(raw, source) };
    case "3":
    case "4":
      return { ...common, type: raw.flag === "3" ? "character" : "block", major: raw.major, minor: raw.minor };
    case "5":
      return { ...common, type: "directory" };
    case "6":
      return { ...common, type: "fifo" };
    default:
      throw refuseMember(
        "tar-type",
        `expected a known type of member, found ${JSON.stringify(raw.flag)}`,
        source.subject,
        raw.rawName,
      );
  }
}

function contentOf(raw: RawTarEntry, source: TarSource): { kind: "file"; path: ByteString; offset: number } {
  return { kind: "file", path: source.contentPath, offset: raw.offset };
}

function linkTarget(raw: RawTarEntry, source: TarSource): ByteString {
  const { rawLink } = raw;
  if (rawLink !== "" && rawLink.length <= limits.pathLength && !rawLink.includes("\0")) return rawLink;
  throw refuseMember(
    "tar-link-odd",
    "expected a symbolic link with a target that Linux takes",
    source.subject,
    raw.rawName,
  );
}

function checkRanges(raw: RawTarEntry, subject: string): void {
  const owners = raw.uid <= maxOwner && raw.gid <= maxOwner;
  if (owners && raw.major <= maxDevice && raw.minor <= maxDevice) return;
  throw refuseMember("tar-number", "expected owner and device numbers that Linux takes", subject, raw.rawName);
}

/** Counts what an archive makes of its bytes, so that a small one cannot fill the memory. */
export class EntryBudget {
  #left: number = limits.archiveEntries;

  /** @throws rejected `tar-too-many-entries` */
  spend(subject: string): void {
    if (this.#left-- > 0) return;
    throw rejected({
      code: "tar-too-many-entries",
      message: `expected at most ${limits.archiveEntries} files and folders in an archive`,
      subject,
    });
  }
}
