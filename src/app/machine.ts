/** This machine, as the use cases see it: the only place where the program's effects come together. */
import type { Clock, FileSystem, Http, Log, Processes, Workers } from "../base/index.js";
import { lazyHttp, nodeClock, nodeFileSystem, nodeProcesses, nodeWorkers } from "../host/index.js";

export interface Machine {
  readonly files: FileSystem;
  readonly processes: Processes;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly http: Http;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** OCI architecture of the kernel. */
  readonly architecture: string;
  readonly cores: number;
  /** Program that runs a module, and the module of the workers. */
  readonly node: string;
  readonly workerModule: string;
  /** Where relative paths start. */
  readonly currentFolder: string;
}

/** What the process knows of itself. */
export interface ProcessFacts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** As Node names it. */
  readonly arch: string;
  readonly cores: number;
  readonly node: string;
  readonly workerModule: string;
  readonly currentFolder: string;
  readonly log: Log;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", ia32: "386", arm: "arm" };

export function openMachine(facts: ProcessFacts): Machine {
  const { arch, ...rest } = facts;
  return {
    ...rest,
    architecture: architectures[arch] ?? arch,
    files: nodeFileSystem,
    processes: nodeProcesses(facts.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"),
    workers: nodeWorkers,
    clock: nodeClock,
    http: lazyHttp(facts.environment),
  };
}

/** `STAGEWRIGHT_STORE`, else a folder below the user's caches. */
export function defaultStore(machine: Machine): string {
  const { environment } = machine;
  const named = environment["STAGEWRIGHT_STORE"];
  if (named !== undefined && named !== "") return named;
  const caches = environment["XDG_CACHE_HOME"];
  if (caches !== undefined && caches.startsWith("/")) return `${caches}/stagewright`;
  return `${environment["HOME"] ?? "/root"}/.cache/stagewright`;
}
