/** COPY, ADD and WORKDIR: works out what changes, then writes the layer unless the store has it. */
import { createHash } from "node:crypto";

import { canonicalJson, digestOf, fromByteString, hexOf, rejected, toByteString } from "../../../base/index.js";
import type { ByteString, FileSystem } from "../../../base/index.js";
import type { ArchiveOpener, CopyAction, FileAction, FileStep, OpenedArchive, Owner } from "../../../graph/index.js";
import { createIgnoreMatcher, stepIdentity } from "../../../graph/index.js";
import { indexTarFile } from "../../../oci/index.js";
import type { LayerId, LayerStore, StoredLayer } from "../store/layer-store.js";
import { entriesKey, writeAll, writeLayer } from "../store/layer-writer.js";
import { guarded } from "../store/store.js";
import { ContentHasher } from "../tree/content.js";
import { copyPath, makeFolder, singleFileTree, sourceMissing } from "../tree/copy.js";
import type { CopyOptions, OwnerIds } from "../tree/copy.js";
import { DraftTree } from "../tree/draft-tree.js";
import type { FileNode, FolderNode } from "../tree/file-tree.js";
import { emptyTree, nodeAt, resolvePath } from "../tree/file-tree.js";
import { diffTrees } from "../tree/tree-diff.js";
import { treeIdentity } from "../tree/tree-identity.js";
import { unpackInto } from "../tree/unpack.js";
import { resolveOwner } from "../tree/users.js";
import { hasWildcard, resolveWildcards } from "../tree/wildcard.js";

export interface FileStepInput {
  readonly step: FileStep;
  readonly base: readonly LayerId[];
  /** The source tree of each action, in the order of the actions; undefined for those that copy nothing. */
  readonly sources: readonly (FolderNode | undefined)[];
  /** Make the layer, even where the store has it. */
  readonly fresh: boolean;
}

export interface FileStepEffects {
  readonly layers: LayerStore;
  readonly archives: ArchiveOpener;
}

export interface StepOutcome {
  readonly layer: StoredLayer;
  /** Whether the store had the layer already. */
  readonly cached: boolean;
  /** When the layer was made: milliseconds since the epoch. */
  readonly executedAt: number;
}

/** @throws what the copy throws, and rejected `content-changed` when a source changes meanwhile. */
export async function runFileStep(input: FileStepInput, effects: FileStepEffects): Promise<StepOutcome> {
  const { layers } = effects;
  const hasher = new ContentHasher(layers.store.files);
  const base = layers.tree(input.base);
  const key = input.step.actions.some((action) => action.kind === "copy" && action.unpack)
    ? unpackKey(input, layers, hasher)
    : undefined;
  const known = key === undefined || input.fresh ? undefined : recordedLayer(layers, key);
  if (known !== undefined) return { ...known, cached: true };
  const start = input.step.link ? emptyTree : base;
  const runner = new ActionRunner(base, hasher, effects.archives, layers);
  try {
    const after = await runner.runAll(start, input);
    const same = (a: FileNode, b: FileNode): boolean => hasher.hashOf(a) === hasher.hashOf(b);
    const entries = diffTrees(start, after, same).map((entry) =>
      entry.type === "file" ? { ...entry, sha256: hasher.hashOf(entry) } : entry,
    );
    return keep(layers, entries, { key, fresh: input.fresh });
  } finally {
    runner.dispose();
  }
}

function keep(
  layers: LayerStore,
  entries: Parameters<typeof writeLayer>[1],
  { key, fresh }: { readonly key: string | undefined; readonly fresh: boolean },
): StepOutcome {
  const contentKey = entriesKey(entries);
  const known = fresh ? undefined : recordedLayer(layers, contentKey);
  const { layer, executedAt } = known ?? { layer: writeLayer(layers, entries), executedAt: layers.store.now() };
  const record = { layer: layer.id, executedAt };
  if (known === undefined) layers.store.writeRecord("steps", contentKey, record);
  if (key !== undefined) layers.store.writeRecord("steps", key, record);
  return { layer, executedAt, cached: known !== undefined };
}

function recordedLayer(layers: LayerStore, key: string): Omit<StepOutcome, "cached"> | undefined {
  const record = layers.store.useRecord("steps", key) as { layer: LayerId; executedAt: number } | undefined;
  const layer = record === undefined ? undefined : layers.find(record.layer);
  return record === undefined || layer === undefined ? undefined : { layer, executedAt: record.executedAt };
}

/** Archives are unpacked to learn what a step does, so such a step is known by its inputs instead. */
function unpackKey(input: FileStepInput, layers: LayerStore, hasher: ContentHasher): string {
  const step = stepIdentity(input.step, () => null);
  const sources = input.step.actions.map((action, index) => {
    const tree = input.sources[index];
    if (action.kind !== "copy" || tree === undefined) return [];
    return resolveWildcards(tree, toByteString(action.source)).map((path) => treeIdentity(tree, path, hasher));
  });
  const base = input.base.map((id) => layers.get(id).diffId);
  return hexOf(digestOf(canonicalJson({ format: "add-2", step, base, sources })));
}

class ActionRunner {
  private readonly spools: OpenedArchive[] = [];
  private readonly copies: string[] = [];

  constructor(
    private readonly usersRoot: FolderNode,
    private readonly hasher: ContentHasher,
    private readonly archives: ArchiveOpener,
    private readonly layers: LayerStore,
  ) {}

  async runAll(start: FolderNode, input: FileStepInput): Promise<FolderNode> {
    let tree = start;
    for (const [index, action] of input.step.actions.entries()) {
      tree = await this.run(tree, action, input.sources[index] ?? emptyTree);
    }
    return tree;
  }

  dispose(): void {
    for (const spool of this.spools) spool.close();
    for (const copy of this.copies) this.layers.store.files.rmSync(copy, { force: true });
  }

  /**
   * A file of a context may change while it is unpacked: what is unpacked is a copy with the hash that the step's key
   * has. A source of the store is known by its hash and nobody else's to change.
   * @throws rejected `content-changed`
   */
  private unchanging(node: FileNode, path: ByteString): ByteString {
    if (node.sha256 !== undefined) return path;
    const { store } = this.layers;
    const copy = store.temporary("archive");
    const expected = this.hasher.hashOf(node);
    const found = copyHashed(path, copy, store.files);
    this.copies.push(copy);
    if (found === expected) return toByteString(copy);
    throw rejected({
      code: "content-changed",
      message: `expected content with SHA-256 ${expected}, found ${found}`,
      subject: fromByteString(path),
      hint: "run the build again when nothing writes to the folder",
    });
  }

  private async run(tree: FolderNode, action: FileAction, source: FolderNode): Promise<FolderNode> {
    const owner = this.ownerOf(action.owner);
    switch (action.kind) {
      case "mkdir": {
        const draft = new DraftTree(tree);
        makeFolder(draft, toByteString(action.path), owner, action.mode);
        return draft.freeze();
      }
      case "mkfile": {
        const data = Buffer.from(action.data, "utf8");
        const name = toByteString(action.name);
        const file = singleFileTree(name, data.length, { kind: "bytes", data }, mkfileMode);
        const options = { owner, mode: action.mode, excluded: undefined };
        const draft = new DraftTree(tree);
        copyPath(draft, file, `/${name}`, toByteString(action.destination), options);
        return draft.freeze();
      }
      case "copy":
        return await this.copy(tree, action, source, owner);
    }
  }

  private ownerOf(owner: Owner | undefined): OwnerIds | undefined {
    return owner === undefined ? undefined : resolveOwner(owner, this.usersRoot, this.hasher);
  }

  private async copy(tree: FolderNode, action: CopyAction, source: FolderNode, owner: OwnerIds | undefined) {
    const pattern = toByteString(action.source);
    const destination = toByteString(action.destination);
    const options: CopyOptions = { owner, mode: action.mode, excluded: excludedBy(action.exclude) };
    const matches = action.wildcard ? resolveWildcards(source, pattern) : [pattern];
    let draft = new DraftTree(tree);
    for (const match of matches) {
      const members = action.unpack ? await this.members(source, match) : undefined;
      if (members !== undefined) draft = new DraftTree(unpackInto(draft.freeze(), destination, members, owner));
      else if (action.parents) copyWithParents(draft, source, match, pattern, destination, options);
      else copyPath(draft, source, match, destination, options);
    }
    return draft.freeze();
  }

  private async members(source: FolderNode, path: ByteString) {
    const node = nodeAt(source, resolvePath(source, path));
    if (node === undefined) throw sourceMissing(path);
    if (node.type !== "file" || node.content.kind !== "file" || node.content.offset !== 0) return undefined;
    const opened = await this.archives.open(this.unchanging(node, node.content.path));
    if (opened === undefined) return undefined;
    this.spools.push(opened);
    return indexTarFile(opened.tarPath, this.layers.store.files, "archive").entries;
  }
}

const mkfileMode = 0o644;
const copySize = 1 << 20;

/** Copies a file and gives the SHA-256 of what was copied. */
function copyHashed(from: ByteString, to: string, files: FileSystem): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(copySize);
  const source = files.openSync(Buffer.from(from, "latin1"), "r");
  const target = guarded(to, () => files.openSync(to, "wx", 0o600));
  try {
    for (let got = files.readSync(source, buffer); got > 0; got = files.readSync(source, buffer)) {
      const chunk = buffer.subarray(0, got);
      hash.update(chunk);
      guarded(to, () => {
        writeAll(files, target, chunk);
      });
    }
  } finally {
    files.closeSync(source);
    files.closeSync(target);
  }
  return hash.digest("hex");
}

function excludedBy(patterns: readonly string[]): CopyOptions["excluded"] {
  if (patterns.length === 0) return undefined;
  const matcher = createIgnoreMatcher(patterns);
  return (path, folder) => {
    const state = matcher.enter(path, undefined);
    return state.ignored && !(folder && !matcher.mayPrune(path, state));
  };
}

/** `--parents`: the path from the pivot `/./` on (or the whole path) is made below the destination. */
function copyWithParents(
  draft: DraftTree,
  source: FolderNode,
  match: ByteString,
  pattern: ByteString,
  destination: ByteString,
  options: CopyOptions,
): void {
  const pivot = pattern.indexOf("/./");
  const prefix = pivot < 0 ? [] : resolvePath(source, pattern.slice(0, pivot));
  const parts = match.split("/").filter((part) => part !== "" && part !== ".");
  if (prefix.some(hasWildcard)) {
    throw rejected({ code: "pivot-wildcard", message: "a wildcard cannot stand before /./", subject: pattern });
  }
  const kept = parts.slice(prefix.length);
  const node = nodeAt(source, parts);
  if (node === undefined) throw sourceMissing(match);
  const parents = kept.slice(0, -1);
  makeFolder(draft, destination, options.owner, 0o755);
  const folder = node.type === "directory" ? kept : parents;
  for (let length = 1; length <= folder.length; length++) {
    const made = nodeAt(source, parts.slice(0, prefix.length + length));
    const place = `${destination}/${folder.slice(0, length).join("/")}`;
    if (draft.get(draft.resolve(place)) === undefined) makeFolder(draft, place, options.owner, made?.mode ?? 0o755);
  }
  copyPath(draft, source, match, `${destination}/${folder.join("/")}/`, options);
}
