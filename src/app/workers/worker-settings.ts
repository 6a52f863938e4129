/** The first message to a worker. */
export interface WorkerSettings {
  /** The store, opened and checked by the main process. */
  readonly store: string;
  /** Folder below the store's `tmp/` that is this worker's own. */
  readonly owner: string;
  readonly inUserNamespace: boolean;
  /** The OCI runtime with its options; threads have none. */
  readonly runtime: readonly [string, ...string[]] | undefined;
  /** Put an empty folder over the machine's control groups (in the worker's own mount namespace). */
  readonly hideControlGroups: boolean;
}
