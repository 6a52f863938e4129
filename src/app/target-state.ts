/** What the last build of a tree gave, so that a build with nothing to do finds that out from one file. */
import type { Digest, FileSystem, Json } from "../base/index.js";
import { canonicalJson, digestOf, hexOf } from "../base/index.js";
import type { Store } from "../engines/index.js";
import type { BuiltImage } from "./build-image.js";
import { thisTool } from "./this-tool.js";
import type { ContextState } from "./context-state.js";

/** Changes when the same inputs would give another image or record. */
const format = "target-1";

export interface TargetState {
  /** Hash of every input of the target. */
  readonly key: string;
  readonly digest: Digest;
  readonly indexDigest: Digest;
  readonly size: number;
  /** What `index.json` of the layout looked like when it was written: size, times, inode. */
  readonly layout: string;
  /** Seconds of the build that gave it. */
  readonly seconds: number;
}

interface StateRecord {
  readonly format: string;
  readonly targets: Readonly<Record<string, TargetState>>;
  readonly contexts: Readonly<Record<string, ContextState>>;
}

/** States by target, and contexts by package folder. */
export class TreeState {
  private readonly targets: Map<string, TargetState>;
  private readonly contexts: Map<string, ContextState>;
  private readonly newTargets = new Map<string, TargetState>();
  private readonly newContexts = new Map<string, ContextState>();

  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {
    const known = this.read();
    this.targets = known.targets;
    this.contexts = known.contexts;
  }

  private read() {
    const raw = this.store.useRecord("targets", this.name) as Partial<StateRecord> | undefined;
    const usable = raw?.format === format ? raw : undefined;
    return {
      targets: new Map(Object.entries(usable?.targets ?? {})),
      contexts: new Map(Object.entries(usable?.contexts ?? {})),
    };
  }

  target(id: string): TargetState | undefined {
    return this.newTargets.get(id) ?? this.targets.get(id);
  }

  context(folder: string): ContextState | undefined {
    return this.newContexts.get(folder) ?? this.contexts.get(folder);
  }

  setTarget(id: string, state: TargetState): void {
    this.newTargets.set(id, state);
  }

  setContext(folder: string, state: ContextState): void {
    if (this.context(folder) !== state) this.newContexts.set(folder, state);
  }

  /** Writes what is new, together with what other builds of the tree have written meanwhile. */
  save(): void {
    if (this.newTargets.size === 0 && this.newContexts.size === 0) return;
    const { targets, contexts } = this.read();
    for (const [id, state] of this.newTargets) targets.set(id, state);
    for (const [folder, state] of this.newContexts) contexts.set(folder, state);
    const record = { format, targets: Object.fromEntries(targets), contexts: Object.fromEntries(contexts) };
    this.store.writeRecord("targets", this.name, record);
  }
}

/** Begins the names of states of trees. */
export const treeStatePrefix = "tree-";

/** The targets that a state of a tree holds. */
export function readTreeTargets(store: Store, name: string): readonly TargetState[] {
  const raw = store.readRecord("targets", name) as Partial<StateRecord> | undefined;
  return raw?.format === format ? Object.values(raw.targets ?? {}) : [];
}

/** Name of the state of a tree whose layouts go to a folder. */
export function treeStateName(root: string, outputFolder: string): string {
  return `${treeStatePrefix}${hexOf(digestOf(canonicalJson([root, outputFolder])))}`;
}

/** The members stand in the order in which one place of the program writes them, so that no sorting is needed. */
export function targetKey(inputs: Json): string {
  return hexOf(digestOf(JSON.stringify([format, thisTool.version, inputs])));
}

/** The whole record of a built target, by its key: what a target that stands on it needs to know. */
export function readBuiltImage(store: Store, key: string): BuiltImage | undefined {
  const record = store.useRecord("targets", key) as { image?: BuiltImage } | undefined;
  return record?.image;
}

export function writeBuiltImage(store: Store, key: string, image: BuiltImage): void {
  store.writeRecord("targets", key, { image });
}

/**
 * The layout's `index.json` and its folder of blobs as the file system shows them: what is put in or taken away changes
 * it, bytes changed in place do not. Undefined when one is not there.
 */
export function layoutSignature(folder: string, files: FileSystem): string | undefined {
  const parts: number[] = [];
  for (const path of [`${folder}/index.json`, `${folder}/blobs/sha256`]) {
    const stat = files.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    parts.push(stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino);
  }
  return parts.join(" ");
}
