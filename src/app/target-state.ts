/** What the last build of a tree gave, so that a build with nothing to do finds that out from one file. */
import type { Digest, FileSystem, Json } from "../base/index.js";
import { canonicalJson, digestOf, hexOf } from "../base/index.js";
import type { Store } from "../engines/index.js";
import type { BuiltImage } from "./build-image.js";
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

/** States by target, and contexts by package folder. */
export class TreeState {
  private readonly targets: Record<string, TargetState>;
  private readonly contexts: Record<string, ContextState>;
  private changed = false;

  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {
    const record = store.readRecord("targets", name) as
      { format?: unknown; targets?: object; contexts?: object } | undefined;
    const usable = record?.format === format;
    this.targets = usable ? { ...(record.targets as Record<string, TargetState>) } : {};
    this.contexts = usable ? { ...(record.contexts as Record<string, ContextState>) } : {};
  }

  target(id: string): TargetState | undefined {
    return Object.hasOwn(this.targets, id) ? this.targets[id] : undefined;
  }

  context(folder: string): ContextState | undefined {
    return Object.hasOwn(this.contexts, folder) ? this.contexts[folder] : undefined;
  }

  setTarget(id: string, state: TargetState): void {
    this.targets[id] = state;
    this.changed = true;
  }

  setContext(folder: string, state: ContextState): void {
    if (this.context(folder) === state) return;
    this.contexts[folder] = state;
    this.changed = true;
  }

  /** Writes the state when something in it is new. */
  save(): void {
    if (!this.changed) return;
    this.store.writeRecord("targets", this.name, { format, targets: this.targets, contexts: this.contexts });
    this.changed = false;
  }
}

/** Name of the state of a tree whose layouts go to a folder. */
export function treeStateName(root: string, outputFolder: string): string {
  return `tree-${hexOf(digestOf(canonicalJson([root, outputFolder])))}`;
}

export function targetKey(inputs: Json): string {
  return hexOf(digestOf(canonicalJson({ format, inputs })));
}

/** The whole record of a built target, by its key: what a target that stands on it needs to know. */
export function readBuiltImage(store: Store, key: string): BuiltImage | undefined {
  const record = store.readRecord("targets", key) as { image?: BuiltImage } | undefined;
  return record?.image;
}

export function writeBuiltImage(store: Store, key: string, image: BuiltImage): void {
  store.writeRecord("targets", key, { image });
}

/** The layout's `index.json` as the file system shows it, or undefined when there is none. */
export function layoutSignature(folder: string, files: FileSystem): string | undefined {
  const stat = files.statSync(`${folder}/index.json`, { throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino].join(" ");
}
