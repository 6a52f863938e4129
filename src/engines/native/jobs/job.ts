/** The work that threads and sandboxed processes do for the engine, as plain data. Trees travel as names of layers. */
import type { Digest, ErrorKind } from "../../../base/index.js";
import { StagewrightError, messageOf } from "../../../base/index.js";
import type { FileStep, RunStep } from "../../../graph/index.js";
import type { LayerId } from "../store/layer-store.js";
import type { ContextSpec } from "../tree/context-tree.js";

/** A tree that a COPY or a mount reads, in a form that another process can follow. */
export type SourceSpec =
  | { readonly kind: "chain"; readonly layers: readonly LayerId[] }
  /** `ignore`: patterns of .dockerignore in order. */
  | { readonly kind: "context"; readonly context: ContextSpec; readonly ignore: readonly string[] };

export interface FileJob {
  readonly kind: "file";
  readonly step: FileStep;
  readonly base: readonly LayerId[];
  /** One for each action. */
  readonly sources: readonly (SourceSpec | null)[];
  /** Make the layer, even where the store has it. */
  readonly fresh: boolean;
}

export interface RunJob {
  readonly kind: "run";
  readonly step: RunStep;
  readonly base: readonly LayerId[];
  /** One for each mount. */
  readonly sources: readonly (SourceSpec | null)[];
  /** What each source must hold for the step's key to be true, as `treeIdentity` names it. */
  readonly identities: readonly (string | null)[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly cacheFolders: readonly (string | null)[];
  readonly network: "none" | "host";
  readonly resolver: string | null;
  readonly architecture: string;
}

/** Compresses a layer of the store, checking its diff id on the way. */
export interface CompressJob {
  readonly kind: "compress";
  readonly diffId: Digest;
}

/** Takes a layer of an OCI layout into the store. */
export interface ImportJob {
  readonly kind: "import";
  readonly path: string;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly compressed: boolean;
  /** The layers below it in the image. */
  readonly below: readonly LayerId[];
}

/** A name for what a path of a source holds: the part of a RUN's cache key that its bind mounts are. */
export interface IdentifyJob {
  readonly kind: "identify";
  readonly source: SourceSpec;
  readonly path: string;
}

/** Removes folders and files of the store, also those that belong to users of the namespace. */
export interface RemoveJob {
  readonly kind: "remove";
  readonly paths: readonly string[];
}

export type Job = FileJob | RunJob | CompressJob | ImportJob | IdentifyJob | RemoveJob;

export type JobResult =
  | {
      readonly kind: "layer";
      readonly layer: LayerId;
      readonly diffId: Digest;
      /** Whether the store had it, and when it was made: milliseconds since the epoch. */
      readonly cached: boolean;
      readonly executedAt: number;
    }
  | { readonly kind: "blob"; readonly digest: Digest; readonly size: number }
  | { readonly kind: "identity"; readonly identity: string }
  | { readonly kind: "done" };

export type Request = { readonly id: number; readonly job: Job };

export type Reply =
  | { readonly id: number; readonly type: "output"; readonly data: string }
  | { readonly id: number; readonly type: "result"; readonly result: JobResult }
  | { readonly id: number; readonly type: "error"; readonly error: PlainError };

/** An error as plain data: classes do not cross. */
export interface PlainError {
  readonly kind: ErrorKind | undefined;
  readonly code: string;
  readonly message: string;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export function plainError(thrown: unknown): PlainError {
  if (thrown instanceof StagewrightError) {
    const { kind, code, message, subject, hint } = thrown;
    return { kind, code, message, subject, hint, stack: undefined };
  }
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return { kind: undefined, code: "defect", message: messageOf(thrown), subject: undefined, hint: undefined, stack };
}

export function reviveError(plain: PlainError): Error {
  if (plain.kind === undefined) return Object.assign(new Error(plain.message), { stack: plain.stack });
  const { code, message, subject, hint } = plain;
  return new StagewrightError(plain.kind, { code, message, subject, hint });
}
