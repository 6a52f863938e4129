/**
 * The definition of one target: what a Containerfile means, as steps that an engine can run without knowing the
 * Containerfile. The model is BuildKit's (a RUN is an exec operation, COPY, ADD and WORKDIR are file operations), since
 * the layers must come out the same.
 */
import type { Platform } from "./platform.js";

/** A root filesystem: nothing, an image from outside this target, or what a step of this definition made. */
export type StateRef =
  | { readonly kind: "scratch" }
  /** `platform` stands only where the Containerfile's `--platform` asks for another than the definition's. */
  | { readonly kind: "image"; readonly image: string; readonly platform?: Platform }
  /** `step` is an index into {@link TargetDefinition.steps}, always lower than the index of the step that refers to it. */
  | { readonly kind: "step"; readonly step: number };

/** What a COPY, ADD or bind mount reads from. */
export type SourceRef =
  | StateRef
  /** A folder of the machine: the build context (`name` empty) or a named one (`fetch`). */
  | { readonly kind: "context"; readonly name: string; readonly dockerignore: boolean }
  /** One file that is fetched by its hash (ADD of an URL with `--checksum`), seen as `/fileName` in an empty folder. */
  | { readonly kind: "download"; readonly url: string; readonly sha256: string; readonly fileName: string };

/** `--chown`: texts as written after expansion, resolved in the passwd and group files of the step's base. */
export interface Owner {
  readonly user: string;
  readonly group: string | undefined;
}

export interface CopyAction {
  readonly kind: "copy";
  readonly from: SourceRef;
  /** Path or wildcard, absolute in the source. */
  readonly source: string;
  /** Absolute; a trailing slash (or `.`) means a folder. */
  readonly destination: string;
  readonly owner: Owner | undefined;
  /** `--chmod`, an octal number. */
  readonly mode: number | undefined;
  /** ADD: a local archive is unpacked into the destination. */
  readonly unpack: boolean;
  /** `--parents`: keep the source's folders (from the `/./` pivot on, where there is one). */
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** Whether `source` may be a wildcard (false where the Containerfile cannot mean one, as for a download). */
  readonly wildcard: boolean;
}

/** WORKDIR: `mkdir -p`. */
export interface MkdirAction {
  readonly kind: "mkdir";
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner | undefined;
}

/** COPY or ADD of a heredoc: one file with the given bytes; missing folders of the destination are made. */
export interface MkfileAction {
  readonly kind: "mkfile";
  /** Name of the file (the heredoc's word), for a destination that is a folder. */
  readonly name: string;
  readonly destination: string;
  readonly data: string;
  readonly mode: number | undefined;
  readonly owner: Owner | undefined;
}

export type FileAction = CopyAction | MkdirAction | MkfileAction;

/** Where a step stands in the Containerfile, for messages. */
export interface StepOrigin {
  /** First and last line, from 1. */
  readonly line: number;
  readonly endLine: number;
  /** The instruction as a person knows it: `COPY --from=build /out /`, first line only. */
  readonly text: string;
}

/** COPY, ADD, WORKDIR: gives one layer. */
export interface FileStep {
  readonly kind: "file";
  readonly base: StateRef;
  readonly actions: readonly FileAction[];
  /** `--link`: done on an empty root and laid over the base. */
  readonly link: boolean;
  readonly origin: StepOrigin;
}

export type RunMount =
  | {
      readonly kind: "bind";
      readonly from: SourceRef;
      /** Path inside `from`. */
      readonly source: string;
      readonly target: string;
      readonly writable: boolean;
    }
  | {
      readonly kind: "cache";
      readonly id: string;
      readonly target: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly from: SourceRef | undefined;
      readonly source: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly readonly: boolean;
    }
  | { readonly kind: "tmpfs"; readonly target: string; readonly size: number | undefined }
  | {
      readonly kind: "secret";
      readonly id: string;
      readonly target: string | undefined;
      /** Name of an environment variable that carries the secret, beside or in place of the file. */
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface RunStep {
  readonly kind: "run";
  readonly base: StateRef;
  /** The program and its arguments, a shell included where the form asks for one. */
  readonly argv: readonly string[];
  /** The whole environment, `NAME=value`, in order: PATH, ENV, ARG as BuildKit gives them. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** USER as it stands: empty, a name, a number, or `USER:GROUP`. */
  readonly user: string;
  readonly mounts: readonly RunMount[];
  /**
   * Scripts of heredocs with a shebang: files put into the sandbox for this step only, at an absolute path, mode 0755.
   */
  readonly scripts: readonly { readonly path: string; readonly data: string }[];
  /** What the RUN asks for; the engine grants more than `none` only where the policy allows it. */
  readonly network: "none" | "default" | "host";
  readonly origin: StepOrigin;
}

export type Step = FileStep | RunStep;

/** Members of the image configuration that a Containerfile sets, named as in the OCI image specification. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: readonly string[];
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: {
    readonly Test?: readonly string[];
    /** Nanoseconds, as in Docker's own form. */
    readonly Interval?: number;
    readonly Timeout?: number;
    readonly StartPeriod?: number;
    readonly StartInterval?: number;
    readonly Retries?: number;
  };
  readonly Shell?: readonly string[];
}

export interface HistoryEntry {
  readonly created_by: string;
  readonly comment: string;
  /** True on instructions that make no layer. */
  readonly empty_layer: boolean;
}

/** What is known of an image that a FROM names: its configuration and history come first in the new image. */
export interface BaseImage {
  readonly config: ContainerConfig;
  readonly history: readonly HistoryEntry[];
  readonly author?: string;
}

export interface TargetDefinition {
  readonly platform: Platform;
  /** Only the steps that the result stands on; inputs come before what uses them. */
  readonly steps: readonly Step[];
  readonly result: StateRef;
  readonly config: ContainerConfig;
  readonly history: readonly HistoryEntry[];
  /** MAINTAINER: the image configuration's `author`. */
  readonly author?: string;
}
