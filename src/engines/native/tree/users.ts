/** USER and `--chown` against the passwd and group files of a root filesystem. */
import { rejected } from "../../../base/index.js";
import type { Owner } from "../../../graph/index.js";
import type { SandboxUser } from "../sandbox/runtime-spec.js";
import type { ContentHasher } from "./content.js";
import { readText } from "./content.js";
import type { OwnerIds } from "./copy.js";
import type { FolderNode } from "./file-tree.js";
import { nodeAt, resolvePath } from "./file-tree.js";

interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const largestId = 0x7fffffff;

function parseId(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= largestId ? id : undefined;
}

function lines(text: string | undefined): string[][] {
  return (text ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(":"));
}

function hasFile(root: FolderNode, path: string): boolean {
  return nodeAt(root, resolvePath(root, path))?.type === "file";
}

function readPasswd(root: FolderNode, hasher: ContentHasher): PasswdLine[] {
  return lines(readText(root, "/etc/passwd", hasher)).map(([name = "", , uid = "", gid = "", , home = ""]) => ({
    name,
    uid: parseId(uid) ?? 0,
    gid: parseId(gid) ?? 0,
    home,
  }));
}

function readGroups(root: FolderNode, hasher: ContentHasher): GroupLine[] {
  return lines(readText(root, "/etc/group", hasher)).map(([name = "", , gid = "", members = ""]) => ({
    name,
    gid: parseId(gid) ?? 0,
    members: members.split(",").filter((member) => member !== ""),
  }));
}

function unknown(kind: string, name: string): Error {
  return rejected({
    code: `unknown-${kind}`,
    message: `expected a ${kind} of the image or a number, found ${JSON.stringify(name)}`,
    subject: name,
    hint: `add it to /etc/${kind === "user" ? "passwd" : "group"} of the image, or give the number`,
  });
}

/**
 * The ids that `--chown` means. A number alone is the group's number too; a name alone brings its group of passwd. In an
 * image without passwd (or group) file every name is root.
 * @throws rejected `unknown-user`, `unknown-group`
 */
export function resolveOwner(owner: Owner, root: FolderNode, hasher: ContentHasher): OwnerIds {
  const user = resolveUserPart(owner.user, root, hasher);
  if (owner.group === undefined) return user;
  const number = parseId(owner.group);
  if (number !== undefined) return { uid: user.uid, gid: number };
  if (!hasFile(root, "/etc/group")) return { uid: user.uid, gid: 0 };
  const group = readGroups(root, hasher).find((line) => line.name === owner.group);
  if (group === undefined) throw unknown("group", owner.group);
  return { uid: user.uid, gid: group.gid };
}

function resolveUserPart(user: string, root: FolderNode, hasher: ContentHasher): OwnerIds {
  if (user === "") return { uid: 0, gid: 0 };
  const number = parseId(user);
  if (number !== undefined) return { uid: number, gid: number };
  if (!hasFile(root, "/etc/passwd")) return { uid: 0, gid: 0 };
  const line = readPasswd(root, hasher).find((entry) => entry.name === user);
  if (line === undefined) throw unknown("user", user);
  return { uid: line.uid, gid: line.gid };
}

/**
 * The user that a RUN has: `USER` or `USER:GROUP`, each a name or a number; empty is root. Without a group it is that of
 * passwd (0 where there is none), with the groups that list the user as a member. As with BuildKit, any user but an empty
 * one needs both files in the image, unless user and group are numbers.
 * @throws rejected `unknown-user`, `unknown-group`, `no-user-files`
 */
export function resolveRunUser(spec: string, root: FolderNode, hasher: ContentHasher): SandboxUser {
  const [userPart = "", groupPart] = spec.split(":");
  const numbers = parseId(userPart) !== undefined && groupPart !== undefined && parseId(groupPart) !== undefined;
  if (spec !== "" && !numbers) requireUserFiles(spec, root);
  const passwd = readPasswd(root, hasher);
  const groups = readGroups(root, hasher);
  const wanted = userPart === "" ? "0" : userPart;
  const number = parseId(wanted);
  const line = passwd.find((entry) => entry.name === wanted) ?? passwd.find((entry) => entry.uid === number);
  if (line === undefined && number === undefined) throw unknown("user", wanted);
  const uid = line?.uid ?? number ?? 0;
  const home = runHome(passwd, uid);
  if (groupPart !== undefined && groupPart !== "") {
    const gid = groups.find((group) => group.name === groupPart)?.gid ?? parseId(groupPart);
    if (gid === undefined) throw unknown("group", groupPart);
    return { uid, gid, additionalGids: [gid], home };
  }
  const gid = line?.gid ?? 0;
  const member = groups.filter((group) => line !== undefined && group.members.includes(line.name));
  const others = member.map((group) => group.gid).filter((id) => id !== gid);
  return { uid, gid, additionalGids: [gid, ...others], home };
}

function requireUserFiles(spec: string, root: FolderNode): void {
  const missing = ["/etc/passwd", "/etc/group"].find((path) => !hasFile(root, path));
  if (missing === undefined) return;
  throw rejected({
    code: "no-user-files",
    message: `USER ${spec} needs ${missing}, which the image does not have`,
    subject: missing,
    hint: "write USER as two numbers, USER:GROUP, or add the file to the image",
  });
}

/** HOME as runc sets it: the folder that the root's own passwd gives for the number, `/` without one. */
function runHome(passwd: readonly PasswdLine[], uid: number): string {
  const home = passwd.find((entry) => entry.uid === uid)?.home;
  return home === undefined || home === "" ? "/" : home;
}
