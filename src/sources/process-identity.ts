import type { FileSystem } from "../base/index.js";

/**
 * A process as `PID-START`, where START is its start time in clock ticks since boot: the pid alone may belong to
 * another process by now. Source: proc(5), `/proc/PID/stat`, fields 1 and 22.
 */
export type ProcessIdentity = string;

/** The identity of this process. Without a readable /proc it is one that counts as alive for ever. */
export function ownIdentity(files: FileSystem): ProcessIdentity {
  return readIdentity(files, "self") ?? "0-0";
}

/** Whether the process is gone. An identity that cannot be judged is never gone. */
export function isGone(files: FileSystem, identity: ProcessIdentity): boolean {
  const pid = /^([1-9][0-9]{0,9})-[0-9]+$/.exec(identity)?.[1];
  if (pid === undefined || readIdentity(files, "self") === undefined) return false;
  return readIdentity(files, pid) !== identity;
}

function readIdentity(files: FileSystem, pid: string): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = files.readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined; // no such process, or no /proc
  }
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = rest[19];
  return start === undefined ? undefined : `${stat.slice(0, stat.indexOf(" "))}-${start}`;
}
