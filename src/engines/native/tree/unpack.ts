/**
 * ADD of an archive: its members laid into a folder of a tree, as a tar run with that folder as its root would. As with
 * BuildKit, `--chown` is for the folders made on the way only, members keep the archive's owners; and times before
 * the epoch become the epoch, except those of symbolic links.
 */
import type { ByteString } from "../../../base/index.js";
import { rejected } from "../../../base/index.js";
import type { NodeEntry } from "../../../oci/index.js";
import type { OwnerIds } from "./copy.js";
import { DraftTree } from "./draft-tree.js";
import type { FolderNode, LeafNode, NodeAttributes, TreeNode } from "./file-tree.js";
import { attributesOf, emptyTree, madeFolder, nodeAt, resolvePath } from "./file-tree.js";

const impliedFolder: NodeAttributes = { mode: 0o755, uid: 0, gid: 0, ...madeFolder };

/**
 * The tree with the archive's members below `destination` (links in it are followed; it is made when missing). Later
 * members replace earlier ones; a folder that is there already keeps what it holds and takes the member's attributes.
 * Links in members' paths are followed inside `destination`, so that nothing leaves it.
 * @throws rejected `bad-hardlink`, `not-a-folder`
 */
export function unpackInto(
  base: FolderNode,
  destination: ByteString,
  members: Iterable<NodeEntry>,
  owner: OwnerIds | undefined,
): FolderNode {
  const rootParts = resolvePath(base, destination);
  const outer = new DraftTree(base);
  outer.makeFolders(rootParts, { ...impliedFolder, uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 });
  const before = outer.freeze();
  const folder = nodeAt(before, rootParts);
  const unpacked = new Unpacker(folder?.type === "directory" ? folder : emptyTree).unpack(members);
  if (rootParts.length === 0) return unpacked;
  const result = new DraftTree(before);
  result.put(rootParts, unpacked);
  return result.freeze();
}

class Unpacker {
  private readonly draft: DraftTree;
  /** Where each member went, for hard links, which name the member and not the place. */
  private readonly places = new Map<ByteString, readonly ByteString[]>();

  constructor(base: FolderNode) {
    this.draft = new DraftTree(base);
  }

  unpack(members: Iterable<NodeEntry>): FolderNode {
    for (const member of members) this.place(member);
    return this.draft.freeze();
  }

  private place(member: NodeEntry): void {
    const parts = member.path.split("/");
    const name = parts.pop() ?? "";
    const parent = this.draft.resolve(parts.join("/"));
    this.draft.makeFolders(parent, impliedFolder);
    const place = [...parent, name];
    this.places.set(member.path, place);
    if (member.type === "directory") this.draft.putFolder(place, memberAttributes(member));
    else this.draft.put(place, this.leafFor(member));
  }

  private leafFor(member: Exclude<NodeEntry, { type: "directory" }>): TreeNode {
    if (member.type === "hardlink") return this.linked(member);
    const { path: _path, ...node } = { ...member, ...memberAttributes(member) };
    return node;
  }

  private linked(member: NodeEntry & { type: "hardlink" }): LeafNode {
    const parts = this.places.get(member.target) ?? this.draft.resolve(member.target);
    const node = this.draft.get(parts);
    if (node === undefined || node.type === "draft" || node.type === "directory") {
      throw rejected({
        code: "bad-hardlink",
        message: `the archive has a hard link to ${JSON.stringify(member.target)}, which is no file of it`,
        subject: member.path,
      });
    }
    return node;
  }
}

function memberAttributes(member: NodeEntry): NodeAttributes {
  const attributes = attributesOf(member);
  if (attributes.mtimeSeconds >= 0 || member.type === "symlink") return attributes;
  return { ...attributes, mtimeSeconds: 0, mtimeNanoseconds: 0 };
}
