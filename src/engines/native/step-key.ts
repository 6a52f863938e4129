/** Names for what a RUN does: equal keys mean that an earlier result stands for it (EN-28). */
import type { Digest, Json } from "../../base/index.js";
import { canonicalJson, digestOf, hexOf } from "../../base/index.js";
import type { RunStep } from "../../graph/index.js";
import { stepIdentity } from "../../graph/index.js";

/**
 * Changes when the same step would give other bytes. The version of the program does not stand here: a toolchain takes
 * hours, and most versions run a step just as the one before.
 */
const stepFormat = "native-2";

export interface RunInputs {
  /** The layers that the command sees, lowest first. */
  readonly chain: readonly Digest[];
  /** For each mount of the step what it shows, as `treeIdentity` names it; null for one that shows nothing. */
  readonly mounts: readonly (string | null)[];
  /** The network that it is given. */
  readonly network: "none" | "host";
  /** What the step is for: a foreign one runs under an emulator. */
  readonly platform: string;
  /** Of the machine's kernel. */
  readonly architecture: string;
  /** Whose cache mounts it has. */
  readonly target: string;
}

/** Everything that decides the result, and neither the step's place in the Containerfile nor the content of secrets. */
export function runKey(step: RunStep, inputs: RunInputs): string {
  const { chain, mounts, network, platform, architecture, target } = inputs;
  const command = stepIdentity(step, () => null);
  const scope = step.mounts.some((mount) => mount.kind === "cache") ? target : null;
  const parts: Json = { stepFormat, command, mounts, network, platform, architecture, chain, scope };
  return hexOf(digestOf(canonicalJson(parts)));
}
