import type { ByteString } from "../../base/index.js";
import { compareByteStrings, limits } from "../../base/index.js";
import type { NodeEntry } from "./entry.js";
import type { TarSource } from "./tar-node.js";
import { EntryBudget, nodeEntryOf } from "./tar-node.js";
import { archivePathParts, refuseMember } from "./tar-path.js";
import type { RawTarEntry } from "./tar-scanner.js";

/** One file, whatever number of names it has. */
interface Inode {
  entry: NodeEntry;
  /** Path of the first name in the order of the result, once it is known. */
  first: ByteString | undefined;
}

interface Node {
  children: Map<string, Node> | undefined;
  /** Undefined for a folder that is only implied. */
  inode: Inode | undefined;
}

/**
 * Turns the members of a source archive into the tree that unpacking it into an empty folder gives (IM-32), as Docker's
 * unpacker does it for ADD: a later member takes the place of an earlier one (two folders become one), folders that no
 * member names are implied, symbolic links in the middle of a path are followed inside the archive and never out of it.
 */
export class ArchiveIndexer {
  readonly #source: TarSource;
  readonly #root: Node = { children: undefined, inode: undefined };
  readonly #budget = new EntryBudget();

  constructor(source: TarSource) {
    this.#source = source;
  }

  /** @throws rejected with a code that begins with `tar-`. */
  add(raw: RawTarEntry): void {
    const parts = archivePathParts(raw.rawName, this.#source.subject);
    const name = parts.pop();
    if (name === undefined) return;
    const entry = nodeEntryOf(raw, "", this.#source);
    const target = entry === undefined ? this.#linkTarget(raw) : undefined;
    const parent = this.#folder(parts, raw);
    parent.children ??= new Map();
    const old = parent.children.get(name);
    const inode = entry === undefined ? this.#linked(raw, target, old) : newInode(entry);
    if (old !== undefined && isFolder(old) && inode.entry.type === "directory") {
      old.inode = inode;
      return;
    }
    // The place in the Map is of no matter: the result is sorted.
    this.#budget.spend(this.#source.subject);
    parent.children.set(name, { children: undefined, inode });
  }

  /** The tree in the order of a layer. Implied folders are not in it: whoever unpacks makes them (0755, owner 0:0). */
  get entries(): NodeEntry[] {
    const out: NodeEntry[] = [];
    collect(this.#root, "", out);
    return out;
  }

  /** A further name; the header of the link is the last word on owner, mode and time, as it is when unpacking. */
  #linked(raw: RawTarEntry, target: Node | undefined, old: Node | undefined): Inode {
    const inode = target?.inode;
    if (inode === undefined || inode.entry.type === "directory" || target === old) {
      throw this.#refuse("tar-link-target", "expected a hard link to another file before it in the archive", raw);
    }
    const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = raw;
    const isLink = inode.entry.type === "symlink";
    inode.entry = { ...inode.entry, uid, gid, mtimeSeconds, mtimeNanoseconds, ...(isLink ? {} : { mode }) };
    return inode;
  }

  #linkTarget(raw: RawTarEntry): Node {
    const parts = archivePathParts(raw.rawLink, this.#source.subject);
    const name = parts.pop();
    const target = name === undefined ? undefined : this.#folder(parts, raw).children?.get(name);
    if (target !== undefined) return target;
    throw this.#refuse("tar-link-target", "expected a hard link to a file before it in the archive", raw);
  }

  /**
   * The folder that a path leads to, with links followed inside the archive. Missing folders are implied where the path
   * names them, not where a link does: Docker's unpacker fails there too.
   */
  #folder(parts: readonly string[], raw: RawTarEntry): Node {
    const trail: Node[] = [this.#root];
    const named = [...parts].reverse();
    const linked: string[] = [];
    let links = 0;
    for (let steps = 0; ; steps++) {
      if (steps > limits.pathLength) throw this.#refuse("tar-link-loop", "expected a path that ends", raw);
      const fromLink = linked.length > 0;
      const part = linked.pop() ?? named.pop();
      if (part === undefined) return trail.at(-1) ?? this.#root;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        // The root's parent is the root, as in a chroot.
        if (trail.length > 1) trail.pop();
        continue;
      }
      const next = this.#child(trail.at(-1) ?? this.#root, part, fromLink, raw);
      const entry = next.inode?.entry;
      if (entry?.type === "symlink") {
        if (++links > limits.symlinks) throw this.#refuse("tar-link-loop", "expected fewer links in a path", raw);
        if (entry.target.startsWith("/")) trail.length = 1;
        linked.push(...entry.target.split("/").reverse());
      } else if (isFolder(next)) trail.push(next);
      else throw this.#refuse("tar-path-through-file", "expected a path through folders only", raw);
    }
  }

  #child(node: Node, name: string, mustExist: boolean, raw: RawTarEntry): Node {
    const known = node.children?.get(name);
    if (known !== undefined) return known;
    if (mustExist) throw this.#refuse("tar-link-dangling", "expected a link in a path to lead to a folder", raw);
    this.#budget.spend(this.#source.subject);
    const made: Node = { children: undefined, inode: undefined };
    node.children ??= new Map();
    node.children.set(name, made);
    return made;
  }

  #refuse(code: string, message: string, raw: RawTarEntry): Error {
    return refuseMember(code, message, this.#source.subject, raw.rawName);
  }
}

function newInode(entry: NodeEntry): Inode {
  // Whatever the archive says, Linux has no other mode for a symbolic link.
  return { entry: entry.type === "symlink" ? { ...entry, mode: 0o777 } : entry, first: undefined };
}

function isFolder(node: Node): boolean {
  return node.inode === undefined || node.inode.entry.type === "directory";
}

/** Folders before what is in them, siblings by bytes: the order of `compareLayerPaths`. */
function collect(node: Node, path: ByteString, out: NodeEntry[]): void {
  const { inode } = node;
  if (inode !== undefined) {
    if (inode.first === undefined) {
      inode.first = path;
      out.push({ ...inode.entry, path });
    } else {
      const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = inode.entry;
      out.push({ type: "hardlink", path, target: inode.first, mode, uid, gid, mtimeSeconds, mtimeNanoseconds });
    }
  }
  if (node.children === undefined) return;
  const names = [...node.children.entries()].sort(([a], [b]) => compareByteStrings(a, b));
  for (const [name, child] of names) collect(child, path === "" ? name : `${path}/${name}`, out);
}
