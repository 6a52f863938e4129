/** What the commands on a tree have in common. */
import { malformed, messageOf, type StagewrightError } from "../base/index.js";
import type { LoadedTree } from "./load-tree.js";
import { loadTree } from "./load-tree.js";
import type { Machine } from "./machine.js";
import { defaultStore } from "./machine.js";
import { thisTool } from "./this-tool.js";

/** 0 done or proven; 1 a negative answer; 2 wrong use or a malformed tree; 3 could not find out. */
export type ExitStatus = 0 | 1 | 2 | 3;

export interface TreeOptions {
  /** Root of the tree. */
  readonly tree: string;
  readonly store: string | undefined;
}

export function openTree(options: TreeOptions, machine: Machine): LoadedTree {
  const { files, clock, log, uid } = machine;
  const cache = {
    directory: `${storeFolder(options, machine)}/trees`,
    uid,
    tool: `${thisTool.name} ${thisTool.version}`,
  };
  return loadTree({ fs: files, root: realTree(options.tree, machine), cache, clock, log });
}

function realTree(folder: string, machine: Machine): string {
  try {
    return machine.files.realpathSync(folder);
  } catch (cause) {
    throw malformed({
      code: "no-tree",
      message: `expected the root of a package tree: ${messageOf(cause)}`,
      subject: folder,
      hint: "go to the tree, or name it with --tree DIR",
      cause,
    });
  }
}

export function storeFolder(options: TreeOptions, machine: Machine): string {
  return options.store ?? defaultStore(machine);
}

/** 2 over 1 over 3: a proven no outweighs an unknown. */
export function worstStatus(errors: readonly StagewrightError[]): ExitStatus {
  if (errors.some((error) => error.kind === "malformed")) return 2;
  if (errors.some((error) => error.kind === "rejected" || error.kind === "untrusted")) return 1;
  return errors.length > 0 ? 3 : 0;
}
