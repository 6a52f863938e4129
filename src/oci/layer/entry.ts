import type { ByteString } from "../../base/index.js";

/**
 * Where the bytes of a regular file are. `file`: `size` bytes of a file of the machine, from `offset`; `bytes`: held
 * in memory (small, generated content).
 */
export type Content =
  | { readonly kind: "file"; readonly path: ByteString; readonly offset: number }
  | { readonly kind: "bytes"; readonly data: Uint8Array };

interface EntryCommon {
  /**
   * Path from the root of the layer: components joined by `/`, no slash at either end, no empty, `.` or `..` component.
   * The root folder itself is never an entry.
   */
  readonly path: ByteString;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, rounded down: may be negative. */
  readonly mtimeSeconds: number;
  /** 0 to 999,999,999, added to the seconds. */
  readonly mtimeNanoseconds: number;
  /** Extended attributes by name; the values are bytes, one in each code unit. Only `security.capability` is ever written. */
  readonly xattrs?: Readonly<Record<string, ByteString>>;
}

export interface FileEntry extends EntryCommon {
  readonly type: "file";
  readonly size: number;
  readonly content: Content;
}
export interface DirectoryEntry extends EntryCommon {
  readonly type: "directory";
}
export interface SymlinkEntry extends EntryCommon {
  readonly type: "symlink";
  readonly target: ByteString;
}
/** A further name of a regular file that stands in the same layer, at an earlier place in the order. */
export interface HardlinkEntry extends EntryCommon {
  readonly type: "hardlink";
  /** Path of the first name. */
  readonly target: ByteString;
}
export interface DeviceEntry extends EntryCommon {
  readonly type: "character" | "block";
  readonly major: number;
  readonly minor: number;
}
export interface FifoEntry extends EntryCommon {
  readonly type: "fifo";
}
/** The name vanished: whatever the layers below have at `path`, with all that is under it. */
export interface WhiteoutEntry {
  readonly type: "whiteout";
  readonly path: ByteString;
}

export type NodeEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardlinkEntry | DeviceEntry | FifoEntry;
/** One change that a layer makes. */
export type LayerEntry = NodeEntry | WhiteoutEntry;
