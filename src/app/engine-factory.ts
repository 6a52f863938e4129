/** Puts the native engine together for this machine. */
import type { Channel, Clock, FileSystem, Processes, Workers } from "../base/index.js";
import { digestOf, hexOf, systemErrorCode, unavailable } from "../base/index.js";
import {
  CacheLocks,
  LayerStore,
  ioError,
  NativeEngine,
  StoreLocks,
  StoreUsers,
  WorkerPool,
  openStore,
  toolEnvironment,
} from "../engines/index.js";
import type { Store } from "../engines/index.js";
import { pipesScript } from "../host/index.js";
import { isGone, ownIdentity } from "../sources/index.js";
import type { Machine } from "./machine.js";
import type { Platform } from "../graph/index.js";
import { canRunPlatform } from "./runnable-platform.js";
import type { WorkerSettings } from "./workers/worker-settings.js";

export interface EngineEffects {
  readonly files: FileSystem;
  readonly processes: Processes;
  readonly workers: Workers;
  readonly clock: Clock;
}

export interface EngineOptions {
  /** Folder of the store. */
  readonly store: string;
  /** RUN steps at the same time. */
  readonly jobs: number;
  /** Threads for files and compression. */
  readonly threads: number;
  /** Module that both kinds of workers run. */
  readonly workerModule: string;
  /** Program that runs a module: Node itself. */
  readonly node: string;
  readonly uid: number;
  /** OCI architecture of the kernel. */
  readonly architecture: string;
}

export interface OpenedEngine {
  readonly engine: NativeEngine;
  readonly store: Store;
  /** Runs the work while no other process works on the folder, which need not be of the store. */
  readonly alone: <T>(folder: string, work: () => T) => Promise<T>;
  /** Does the work while no other process builds on the store. @throws unavailable `store-busy` */
  readonly aloneOnStore: <T>(work: () => Promise<T>) => Promise<T>;
  /** Removes paths of the store, also those that belong to users of the sandbox's namespace. */
  readonly remove: (paths: readonly string[]) => Promise<void>;
  /** Ends all work and removes what this process left in the store's temporary folder. */
  close(): Promise<void>;
}

/**
 * Opens the store and the engine. Leftovers of processes that are gone are removed first.
 * @throws as {@link openStore}
 */
export async function openNativeEngine(options: EngineOptions, effects: EngineEffects): Promise<OpenedEngine> {
  const owner = ownIdentity(effects.files);
  const store = openStore(options.store, { ...effects, uid: options.uid, owner });
  const layers = new LayerStore(store);
  const starter = new WorkerStarter(options, effects, owner, store.root);
  const threads = new WorkerPool(() => starter.startThread(), options.threads);
  const sandboxes = new WorkerPool(() => starter.startSandbox(), options.jobs);
  const isAlive = (other: string): boolean => !isGone(effects.files, processOf(other));
  const locks = new StoreLocks(store, effects.clock, owner, isAlive);
  const users = new StoreUsers(store, locks, effects.clock, owner, isAlive);
  await users.enter();
  const cacheLocks = new CacheLocks(locks);
  const resolver = (): string => effects.files.readFileSync("/etc/resolv.conf", "utf8");
  const { architecture } = options;
  const canRun = (platform: Platform): boolean => canRunPlatform(platform, architecture, effects.files);
  const { clock } = effects;
  const engine = new NativeEngine({ layers, threads, sandboxes, cacheLocks, clock, architecture, resolver, canRun });
  const remove = async (paths: readonly string[]): Promise<void> => {
    if (paths.length > 0) await sandboxes.run({ kind: "remove", paths });
  };
  const leftovers = users.temporaryLeftovers();
  const staleRoots = store.staleRoots().map((name) => store.path("roots", name));
  await remove([...leftovers.map((name) => store.path("tmp", name)), ...staleRoots]);
  return {
    engine,
    store,
    remove,
    alone: (folder, work) => locks.alone(`folder-${hexOf(digestOf(folder))}`, work),
    aloneOnStore: (work) => users.alone(work),
    close: async () => {
      await Promise.all([threads.close(), sandboxes.close()]);
      const paths = starter.owners.map((name) => store.path("tmp", name));
      if (starter.sandboxesStarted) await removeInNamespaces(paths, options.uid, effects.processes);
      else for (const path of paths) effects.files.rmSync(path, { recursive: true, force: true });
      users.leave();
      locks.unlockAll();
      // The last: locks are drafted in it.
      store.removeTemporaryFolder();
    },
  };
}

/** Whether a process that is gone has left something in the store that opening an engine removes. */
export function hasLeftovers(store: Store, { files, clock }: Pick<EngineEffects, "files" | "clock">): boolean {
  const owner = ownIdentity(files);
  const isAlive = (other: string): boolean => !isGone(files, processOf(other));
  return new StoreUsers(store, new StoreLocks(store, clock, owner, isAlive), clock, owner, isAlive).hasLeftovers();
}

/** The options that the machine decides. */
export function engineSettings(machine: Machine): Omit<EngineOptions, "store" | "jobs"> {
  const { cores, workerModule, node, uid, architecture } = machine;
  return { threads: cores, workerModule, node, uid, architecture };
}

/** A command as process 1 of namespaces of its own; it and all that it started end when this process ends. */
export function inNamespaces(uid: number, command: readonly string[]): readonly [string, ...string[]] {
  const user = uid === 0 ? [] : ["--user", "--map-root-user", "--map-auto"];
  const alone = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  return ["setpriv", "--pdeathsig", "KILL", "--", "unshare", ...user, ...alone, "--", ...command];
}

/** What a large leftover takes beyond this is left to the next run: whoever pressed Ctrl-C waits no longer. */
const removeMilliseconds = 1000;

/** Without root, files in `tmp/` may belong to users that only the namespace may touch. */
async function removeInNamespaces(paths: readonly string[], uid: number, processes: Processes): Promise<void> {
  if (paths.length === 0) return;
  const command = ["rm", "-rf", "--", ...paths];
  const [program, ...args] = uid === 0 ? command : inNamespaces(uid, command);
  await processes.run(program ?? "rm", args, { env: toolEnvironment, timeoutMilliseconds: removeMilliseconds });
}

/** Owners of temporary folders are processes, or their workers: `PID-START.NUMBER`. */
function processOf(owner: string): string {
  return owner.split(".")[0] ?? owner;
}

class WorkerStarter {
  sandboxesStarted = false;
  /** Names of the temporary folders of this engine's workers. */
  readonly owners: string[] = [];

  constructor(
    private readonly options: EngineOptions,
    private readonly effects: EngineEffects,
    private readonly owner: string,
    private readonly store: string,
  ) {}

  startThread(): Channel {
    const channel = this.effects.workers.startThread(this.options.workerModule);
    const owner = this.newOwner();
    channel.send({ ...this.settings(owner), inUserNamespace: false, runtime: undefined, hideControlGroups: false });
    return channel;
  }

  startSandbox(): Channel {
    const owner = this.newOwner();
    const runtime = this.runtime(owner);
    this.sandboxesStarted = true;
    const piped = ["sh", "-c", pipesScript, "sh", this.options.node, this.options.workerModule];
    const [program, ...args] = inNamespaces(this.options.uid, piped);
    const channel = this.effects.workers.startProcess(program, args, { ...toolEnvironment });
    const inUserNamespace = this.options.uid !== 0;
    const hideControlGroups = runtime[0] === "crun";
    const settings: WorkerSettings = { ...this.settings(owner), inUserNamespace, runtime, hideControlGroups };
    channel.send(settings);
    return channel;
  }

  private settings(owner: string): Pick<WorkerSettings, "store" | "owner"> {
    return { store: this.store, owner };
  }

  /** Makes a folder below `tmp/` that no other worker has, not even one of another engine of this process. */
  private newOwner(): string {
    for (let number = this.owners.length + 1; ; number++) {
      const name = `${this.owner}.${String(number)}`;
      try {
        this.effects.files.mkdirSync(`${this.store}/tmp/${name}`, { mode: 0o700 });
        this.owners.push(name);
        return name;
      } catch (thrown) {
        if (systemErrorCode(thrown) !== "EEXIST") throw ioError(thrown, this.store);
      }
    }
  }

  /** crun starts in a fifth of runc's time; runc is for root only, since it wants control groups of its own. */
  private runtime(owner: string): [string, ...string[]] {
    const state = `${this.store}/tmp/${owner}/runtime`;
    const { processes } = this.effects;
    if (processes.find("crun") !== undefined) return ["crun", "--root", state, "--cgroup-manager", "disabled"];
    if (this.options.uid === 0 && processes.find("runc") !== undefined) return ["runc", "--root", state];
    throw unavailable({
      code: "no-runtime",
      message: "no container runtime was found: a RUN needs crun (or runc, as root)",
      hint: "install it: apt-get install crun",
    });
  }
}
