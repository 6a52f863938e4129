/** A user without privileges and with a range of subordinate ids, as whom root can run the rootless tests. */
import { readFileSync } from "node:fs";

export interface Unprivileged {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function lines(path: string): string[][] {
  return readFileSync(path, { encoding: "utf8", flag: "a+" })
    .split("\n")
    .map((line) => line.split(":"));
}

/** The first such user of /etc/subuid, or undefined where there is none. Needs root. */
export function unprivilegedUser(): Unprivileged | undefined {
  const passwd = lines("/etc/passwd");
  for (const [owner, , count] of lines("/etc/subuid")) {
    if (Number(count) < 65_536) continue;
    const entry = passwd.find(([name, , uid]) => name === owner || uid === owner);
    const [name, , uid, gid] = entry ?? [];
    if (name !== undefined && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
