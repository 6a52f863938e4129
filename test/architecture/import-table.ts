/**
 * The import table: which folder of `src/` may import which. ARCHITECTURE.md shows the same table, and a test holds the
 * two together. `oci/layer` means: through the index of `oci`, and of that only what comes from `oci/layer`.
 */
export const importTable: Readonly<Record<string, readonly string[]>> = {
  base: [],
  host: ["base"],
  tree: ["base"],
  sources: ["base", "tree"],
  graph: ["base", "tree"],
  oci: ["base"],
  engines: ["base", "graph", "oci/layer", "oci/gzip"],
  trust: ["base"],
  review: ["base", "trust"],
  reproduce: ["base", "graph", "oci", "trust"],
  publish: ["base", "oci", "trust", "review", "reproduce"],
  app: ["base", "host", "tree", "sources", "graph", "oci", "engines", "trust", "review", "reproduce", "publish"],
  cli: ["base", "app"],
  web: ["base", "app"],
};

/** npm packages that the program itself uses, and the only folders that import them. */
export const packageTable: Readonly<Record<string, readonly string[]>> = {
  commander: ["cli"],
  "smol-toml": ["tree"],
  "spdx-expression-parse": ["tree"],
  undici: ["host"],
};

/** Node's modules that only compute. Every other one reaches the machine. */
export const pureModules: ReadonlySet<string> = new Set([
  "node:assert",
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:path",
  "node:path/posix",
  "node:stream",
  "node:stream/promises",
  "node:string_decoder",
  "node:url",
  "node:util",
  "node:zlib",
]);

/** Names that reach the machine, its clock, its chance or its language without any import. */
export const effectfulGlobals: ReadonlySet<string> = new Set([
  "process",
  "globalThis",
  "console",
  "fetch",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "Date.now",
  "new Date()",
  "Math.random",
  "AbortSignal.timeout",
  "localeCompare",
  "toLocaleString",
  "toLocaleLowerCase",
  "toLocaleUpperCase",
  "Intl",
]);

interface EffectPermit {
  /** Path below `src/` that it covers. */
  readonly under: string;
  readonly names: ReadonlySet<string> | "all";
  readonly reason: string;
}

export const effectPermits: readonly EffectPermit[] = [
  { under: "host/", names: "all", reason: "implements the ports" },
  {
    under: "cli/",
    names: new Set(["process", "node:os", "node:process", "node:tty"]),
    reason: "arguments, environment, terminal, processors and exit status are the command's own matter",
  },
  {
    under: "app/workers/",
    names: new Set(["process", "node:process", "node:worker_threads"]),
    reason: "entry points of threads and child processes",
  },
];
