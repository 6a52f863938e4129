import type { Clock, FileSystem, Http, Processes, StagewrightError } from "../base/index.js";
import type { Mirror } from "../tree/index.js";
import type { RetryPolicy } from "./retry.js";
import type { SourceStore } from "./store.js";
import type { TimeOuts } from "./transfer.js";

/** One file that is wanted, and where it may be had. */
export interface SourceRequest {
  /** Folder of the package, for messages and reports. */
  readonly package: string;
  /** Name of the source in its package. */
  readonly name: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** One path component. */
  readonly fileName: string;
  /** In the order in which they are tried. */
  readonly mirrors: readonly Mirror[];
}

export interface FetchEffects {
  readonly fileSystem: FileSystem;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly http: Http;
}

export interface FetchSettings {
  readonly store: SourceStore;
  /** Folders asked before any mirror, in order; a missing one is as good as an empty one. */
  readonly distfiles: readonly string[];
  /** Suites that apt-source mirrors look in, beside the machine's own. */
  readonly aptSuites: readonly string[];
  /** Taken from it: the proxy variables, for apt. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Downloads at once, and at once from one host. Default 6 and 3. */
  readonly jobs?: number | undefined;
  readonly jobsPerHost?: number | undefined;
  readonly timeOuts?: TimeOuts | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Bytes of one source; `limits.sourceSize` unless a test says otherwise. */
  readonly sizeLimit?: number | undefined;
  readonly abort?: AbortSignal | undefined;
  readonly onProgress?: ((event: FetchEvent) => void) | undefined;
}

export type FetchState =
  /** A mirror is asked. */
  | "trying"
  /** Bytes came in. */
  | "receiving"
  /** An attempt failed (`message`); the mirror is asked again after a pause. */
  | "retrying"
  /** The mirror is given up (`message`). */
  | "mirror-failed"
  /** The last event of a source: its bytes are in the store. */
  | "done"
  /** The last event of a source: no mirror had it. */
  | "failed";

/** What happens to one file. Requests for the same hash are one file, named by the first of them. */
export interface FetchEvent {
  readonly state: FetchState;
  readonly sha256: string;
  readonly fileName: string;
  readonly mirror?: string | undefined;
  readonly received: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** Why one mirror did not give the file. */
export interface MirrorFailure {
  readonly mirror: string;
  /** `wrong`: it gave a file with other bytes. `none`: it gave none. */
  readonly verdict: "wrong" | "none";
  readonly reason: string;
}

/** A source that is in the store, with checked bytes, or the reasons why it is not. */
export type SourceOutcome =
  | {
      readonly kind: "fetched";
      readonly request: SourceRequest;
      readonly path: string;
      readonly size: number;
      /** Undefined when the store had it. */
      readonly mirror: string | undefined;
      readonly state: "stored" | "distfiles" | "downloaded";
    }
  | {
      readonly kind: "failed";
      readonly request: SourceRequest;
      readonly failures: readonly MirrorFailure[];
      /** Rejected `source-rejected`; unavailable `source-unavailable`, `disk-full`, `store-not-writable`. */
      readonly error: StagewrightError;
    };
