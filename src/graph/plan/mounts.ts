/** RUN `--mount`: rules PL-52 to PL-58. */
import { posix } from "node:path";

import { StagewrightError } from "../../base/index.js";
import {
  parseRunMount,
  type Flag,
  type Position,
  type RunInstruction,
  type RunMountOptions,
} from "../../tree/index.js";
import type { RunMount, SourceRef } from "../definition.js";
import { cleanPath, resolvePath } from "./paths.js";
import { refuse, sourceRef, type PlanContext, type StageState } from "./plan-context.js";

const cacheMode = 0o755;
const secretMode = 0o400;

export function planMounts(plan: PlanContext, state: StageState, instruction: RunInstruction): readonly RunMount[] {
  const flags = instruction.flags.filter((flag) => flag.name === "mount");
  return flags.map((flag) => planMount(plan, state, flag, readMount(plan, state, flag)));
}

function readMount(plan: PlanContext, state: StageState, { value = "", position }: Flag): RunMountOptions {
  try {
    return parseRunMount(value, (word) => plan.words.expand(word, state.env, position));
  } catch (thrown) {
    // What an expansion throws is blamed already.
    if (!(thrown instanceof StagewrightError) || thrown.subject !== undefined) throw thrown;
    const { code, message, hint } = thrown;
    throw refuse(plan, position, { code, message, hint: hint ?? "Write TYPE and target.", cause: thrown });
  }
}

function planMount(plan: PlanContext, state: StageState, flag: Flag, mount: RunMountOptions): RunMount {
  switch (mount.type) {
    case "bind":
      return {
        kind: "bind",
        from: mountedFrom(plan, mount.from, flag.position) ?? { kind: "context", name: "", dockerignore: true },
        source: cleanPath(mount.source),
        target: targetOf(plan, state, mount.target, flag.position),
        writable: !mount.readonly,
      };
    case "cache":
      return planCache(plan, state, flag, mount);
    case "tmpfs":
      return { kind: "tmpfs", target: targetOf(plan, state, mount.target, flag.position), size: mount.size };
    case "secret":
      return planSecret(mount);
  }
}

function planCache(
  plan: PlanContext,
  state: StageState,
  { position }: Flag,
  mount: RunMountOptions & { type: "cache" },
): RunMount {
  const namespace = plan.input.buildArguments.get("BUILDKIT_CACHE_MOUNT_NS") ?? "";
  // The id comes from the target as written: the same text in two working directories is one cache.
  const id = mount.id ?? posix.normalize(mount.target).replace(/(?<=.)\/$/, "");
  return {
    kind: "cache",
    id: namespace === "" ? id : `${namespace}/${id}`,
    target: targetOf(plan, state, mount.target, position),
    sharing: mount.sharing,
    from: mountedFrom(plan, mount.from, position),
    source: cleanPath(mount.source),
    mode: mount.mode ?? cacheMode,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
    readonly: mount.readonly,
  };
}

/** A secret for an environment variable has a file only where a target is given. */
function planSecret(mount: RunMountOptions & { type: "secret" }): RunMount {
  const { id, env, required } = mount;
  const fallback = env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined;
  return {
    kind: "secret",
    id,
    target: mount.target === undefined ? fallback : cleanPath(mount.target),
    env,
    required,
    mode: mount.mode ?? secretMode,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

function mountedFrom(plan: PlanContext, from: string | undefined, position: Position): SourceRef | undefined {
  return from === undefined ? undefined : sourceRef(plan, plan.table.originOf(from, position, false));
}

function targetOf(plan: PlanContext, state: StageState, target: string, position: Position): string {
  const path = resolvePath(cleanPath(state.image.workingDirectory), target);
  if (path !== "/") return path;
  throw refuse(plan, position, {
    code: "mount-over-root",
    message: "expected a target below the root, found the root itself",
    hint: "Give the mount a target=PATH other than /.",
  });
}
