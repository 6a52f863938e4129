/** Reading and hashing what a file node refers to. */
import { createHash } from "node:crypto";

import { rejected, systemErrorCode, unavailable } from "../../../base/index.js";
import type { ByteString, FileSystem } from "../../../base/index.js";
import type { Content } from "../../../oci/index.js";
import type { FileNode, FolderNode } from "./file-tree.js";
import { nodeAt, resolvePath } from "./file-tree.js";

const bufferSize = 1 << 20;

/** Hashes contents once each. One buffer serves all calls: it is not to be shared between threads. */
export class ContentHasher {
  private readonly buffer = Buffer.allocUnsafeSlow(bufferSize);
  private readonly known = new WeakMap<Content, string>();

  constructor(private readonly files: FileSystem) {}

  /** SHA-256 in hexadecimal of a file's content. @throws rejected `content-changed` when it has another size. */
  hashOf(node: FileNode): string {
    if (node.sha256 !== undefined) return node.sha256;
    let hash = this.known.get(node.content);
    if (hash === undefined) {
      const sum = createHash("sha256");
      this.read(node, (chunk) => sum.update(chunk));
      hash = sum.digest("hex");
      this.known.set(node.content, hash);
    }
    return hash;
  }

  /** The bytes of a small file. @throws rejected `file-too-large` beyond `limit`. */
  readSmall(node: FileNode, limit: number): Buffer {
    if (node.size > limit) {
      throw rejected({
        code: "file-too-large",
        message: `expected at most ${String(limit)} bytes, found ${String(node.size)}`,
      });
    }
    const chunks: Buffer[] = [];
    this.read(node, (chunk) => chunks.push(Buffer.from(chunk)));
    const data = Buffer.concat(chunks);
    if (node.sha256 !== undefined && createHash("sha256").update(data).digest("hex") !== node.sha256) {
      throw changed(`expected content with SHA-256 ${node.sha256}, found another`);
    }
    return data;
  }

  private open(path: ByteString): number {
    try {
      return this.files.openSync(Buffer.from(path, "latin1"), "r");
    } catch (thrown) {
      const code = systemErrorCode(thrown);
      if (code === undefined) throw thrown;
      throw unavailable({
        code: "content-unreadable",
        message: `expected a file that can be read: ${code}`,
        subject: Buffer.from(path, "latin1").toString(),
        hint: "see who owns the file and what its mode is",
        cause: thrown,
      });
    }
  }

  private read(node: FileNode, take: (chunk: Uint8Array) => void): void {
    const { content } = node;
    if (content.kind === "bytes") {
      take(content.data);
      return;
    }
    const fd = this.open(content.path);
    try {
      let done = 0;
      while (done < node.size) {
        const wanted = Math.min(node.size - done, bufferSize);
        const got = this.files.readSync(fd, this.buffer, 0, wanted, content.offset + done);
        if (got === 0) break;
        take(this.buffer.subarray(0, got));
        done += got;
      }
      if (done !== node.size) {
        throw changed(`expected a file of ${String(node.size)} bytes, found ${String(done)}`);
      }
    } finally {
      this.files.closeSync(fd);
    }
  }
}

function changed(message: string): Error {
  return rejected({
    code: "content-changed",
    message,
    hint: "something wrote to the file during the build; run it again when nothing does",
  });
}

const smallFile = 4 << 20;

/** The text of a file of the tree, links followed inside it, or undefined when there is none. Bytes become latin1. */
export function readText(root: FolderNode, path: string, hasher: ContentHasher): string | undefined {
  const node = nodeAt(root, resolvePath(root, path));
  return node?.type === "file" ? hasher.readSmall(node, smallFile).toString("latin1") : undefined;
}
