import type { Json } from "../../base/index.js";
import type { SourceRef, Step } from "../definition.js";

/**
 * What a step is, apart from where it stands: everything but its origin. Two steps of equal identity do the same work,
 * whatever comments, blank lines and line numbers surround them. For a cache key, `identityOf` puts the key or digest of
 * what a reference stands for in its place; without it a step is named by its index in the definition, which a change
 * elsewhere in the file moves.
 */
export function stepIdentity(
  step: Step,
  identityOf: (reference: SourceRef) => Json = (reference) => ({ ...reference }) as Json,
): Json {
  if (step.kind === "run") {
    const { origin: _origin, base, mounts, ...rest } = step;
    const sources = mounts.map((mount) =>
      "from" in mount && mount.from !== undefined ? { ...mount, from: identityOf(mount.from) } : { ...mount },
    );
    return { ...rest, base: identityOf(base), mounts: sources } as Json;
  }
  const { origin: _origin, base, actions, ...rest } = step;
  const changes = actions.map((action) =>
    action.kind === "copy" ? { ...action, from: identityOf(action.from) } : { ...action },
  );
  return { ...rest, base: identityOf(base), actions: changes } as Json;
}
