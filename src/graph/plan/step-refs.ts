import type { FileAction, RunMount, SourceRef, StateRef, Step } from "../definition.js";

/** A step with every reference to a state or source replaced by what `replace` makes of it. */
export function mapReferences(step: Step, replace: <R extends SourceRef>(reference: R) => R): Step {
  if (step.kind === "run") {
    return { ...step, base: replace(step.base), mounts: step.mounts.map((mount) => mapMount(mount, replace)) };
  }
  return { ...step, base: replace(step.base), actions: step.actions.map((action) => mapAction(action, replace)) };
}

function mapAction(action: FileAction, replace: <R extends SourceRef>(reference: R) => R): FileAction {
  return action.kind === "copy" ? { ...action, from: replace(action.from) } : action;
}

function mapMount(mount: RunMount, replace: <R extends SourceRef>(reference: R) => R): RunMount {
  if (mount.kind === "bind") return { ...mount, from: replace(mount.from) };
  if (mount.kind === "cache" && mount.from !== undefined) return { ...mount, from: replace(mount.from) };
  return mount;
}

/** Every state and source that a step reads from, its base first. */
export function referencesOf(step: Step): readonly SourceRef[] {
  const references: SourceRef[] = [];
  mapReferences(step, (reference) => {
    references.push(reference);
    return reference;
  });
  return references;
}

/** The steps that `result` stands on, in their order and numbered anew. */
export function pruneSteps(steps: readonly Step[], result: StateRef): { steps: readonly Step[]; result: StateRef } {
  const needed = new Set<number>();
  const open: SourceRef[] = [result];
  for (let reference = open.pop(); reference !== undefined; reference = open.pop()) {
    const step = reference.kind === "step" ? steps[reference.step] : undefined;
    if (reference.kind !== "step" || step === undefined || needed.has(reference.step)) continue;
    needed.add(reference.step);
    open.push(...referencesOf(step));
  }
  const kept = [...needed].sort((a, b) => a - b);
  const places = new Map(kept.map((old, place) => [old, place]));
  const renumber = <R extends SourceRef>(reference: R): R =>
    reference.kind === "step" ? { ...reference, step: places.get(reference.step) ?? 0 } : reference;
  return {
    steps: kept.flatMap((old) => {
      const step = steps[old];
      return step === undefined ? [] : [mapReferences(step, renumber)];
    }),
    result: renumber(result),
  };
}
