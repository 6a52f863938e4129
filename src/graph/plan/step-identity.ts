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
  const base = identityOf(step.base);
  const identity =
    step.kind === "run"
      ? { ...step, base, mounts: step.mounts.map((mount) => withSource(mount, identityOf)) }
      : { ...step, base, actions: step.actions.map((action) => withSource(action, identityOf)) };
  return { ...identity, origin: undefined } as Json;
}

function withSource(
  part: object & { readonly from?: SourceRef | undefined },
  identityOf: (reference: SourceRef) => Json,
) {
  return part.from === undefined ? { ...part } : { ...part, from: identityOf(part.from) };
}
