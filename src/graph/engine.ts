/** What every engine can do: run the definition of one target and give its layers. */
import type { Digest } from "../base/index.js";
import type { TargetDefinition } from "./definition.js";

/** A layer of a finished image, in its compressed form. */
export interface ImageLayer {
  readonly digest: Digest;
  /** Bytes of the compressed blob. */
  readonly size: number;
  readonly diffId: Digest;
}

/** An image that a FROM or COPY --from names. */
export interface ImageInput {
  readonly layers: readonly ImageLayer[];
  /** File that holds the blob of a layer. */
  blobPath(layer: ImageLayer): string;
}

/** A file that stands in a context without lying in its folder. */
export interface PlacedInput {
  /** Path in the context. */
  readonly path: string;
  readonly file: string;
  readonly sha256: string;
  readonly mode: number;
}

/** A folder that COPY, ADD and bind mounts read. */
export interface ContextInput {
  readonly folder: string | undefined;
  readonly placed: readonly PlacedInput[];
  /** Patterns of .dockerignore, in their order. */
  readonly ignore: readonly string[];
}

export interface BuildInput {
  /** `STAGE-NAME`; scopes cache mounts and names messages. */
  readonly target: string;
  /** The Containerfile, as messages name it. */
  readonly fileName: string;
  readonly definition: TargetDefinition;
  /** By the names that the definition uses. */
  readonly images: ReadonlyMap<string, ImageInput>;
  /** By name; the build context has the empty name. */
  readonly contexts: ReadonlyMap<string, ContextInput>;
  /** Verified files of ADD with an URL, by URL. */
  readonly downloads: ReadonlyMap<string, { readonly file: string; readonly sha256: string }>;
  /** Whether the policy lets this target's RUNs have the network that they ask for. */
  readonly networkAllowed: boolean;
  /** Files that hold secrets, by id. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Do every step again, whatever the store has. */
  readonly noCache: boolean;
}

/** What happened to one step. Times are milliseconds since the epoch. */
export interface StepReport {
  readonly line: number;
  readonly text: string;
  readonly diffId: Digest;
  /** `executed` in this build, or `reused` from an earlier one on this store. */
  readonly state: "executed" | "reused";
  readonly executedAt: number;
  readonly seconds: number;
  /** The network that a RUN had. */
  readonly network: "none" | "host";
}

export interface BuildOutput {
  readonly layers: readonly ImageLayer[];
  readonly steps: readonly StepReport[];
}

export type BuildEvent =
  | {
      readonly type: "step-started";
      readonly target: string;
      readonly step: number;
      readonly line: number;
      readonly text: string;
    }
  | { readonly type: "step-output"; readonly target: string; readonly step: number; readonly chunk: Buffer }
  | { readonly type: "step-ended"; readonly target: string; readonly step: number; readonly report: StepReport }
  | { readonly type: "compressing"; readonly target: string };

export interface Engine {
  readonly name: string;
  /**
   * @throws rejected when a step fails; unavailable when it could not be tried; untrusted when an input is not what its
   * digest says.
   */
  build(input: BuildInput, onEvent: (event: BuildEvent) => void): Promise<BuildOutput>;
  blobPath(layer: ImageLayer): string;
  /** Stops all work at once and lets go of everything. */
  close(): void;
}
