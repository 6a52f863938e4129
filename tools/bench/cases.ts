/** The cases of the bench: what runs against what, and how much of the other's time is allowed. */
import { mkdirSync, copyFileSync, readFileSync, rmSync, existsSync } from "node:fs";
import { join } from "node:path";

import type { LargeTree, SmallPackage } from "./inputs.js";
import { loopScript, packageFolder, shellInImage, shellProgram } from "./inputs.js";
import { runProgram, type Side } from "./measure.js";
import { coldBuildx, type PeerBuild, type Peers } from "./peers.js";

export interface Case {
  readonly name: string;
  readonly against: string;
  /** Most of the peer's time (`ratio`), or most seconds. */
  readonly bar: { readonly kind: "ratio" | "seconds"; readonly most: number };
  readonly ours: Side;
  readonly peer: Side;
  /** Looks whether both made the same, after the runs. @throws when they did not */
  readonly sameResult?: () => Promise<void>;
}

export interface CaseInput {
  /** The command: Node and the bundle. */
  readonly command: readonly [string, ...string[]];
  /** A folder for stores and outputs; where peers build, below their share. */
  readonly work: string;
  readonly large: LargeTree;
  /** Root of the tree of {@link makeSmallTree}. */
  readonly small: string;
  readonly peers: Peers | undefined;
}

const ratio = (most: number) => ({ kind: "ratio", most }) as const;

/** Reads and parses what `graph` reads and parses of it, and does nothing with it. */
const tomlProgram = [
  "import glob, sys, tomllib",
  "for path in glob.glob(sys.argv[1] + '/packages/*/*/package.toml'):",
  "    with open(path, 'rb') as file:",
  "        tomllib.load(file)",
].join("\n");

export function graphCases({ command, work, large }: CaseInput): readonly Case[] {
  const store = join(work, "graph-store");
  const built = join(work, "large-store");
  const graph = (folder: string): Side["command"] => [
    ...command,
    ...["graph", "--json", "--tree", large.root, "--store", folder],
  ];
  const forget = (): void => {
    rmSync(store, { recursive: true, force: true });
  };
  const build: Side["command"] = [
    ...command,
    ...["build", "--tree", large.root, "--store", built],
    ...["--output", join(work, "large-out"), "--distfiles", large.distfiles],
  ];
  const python: Side = { command: ["/usr/bin/python3", "-c", tomlProgram, large.root] };
  const against = "Python reads the same package.toml files";
  return [
    { name: "--help", against: "node -e 0", bar: { kind: "seconds", most: 0.1 }, ...help(command) },
    {
      ...{ name: "graph of 500 targets, nothing cached", against, bar: ratio(5) },
      ...{ ours: { command: graph(store), before: forget }, peer: python },
    },
    {
      ...{ name: "graph of 500 targets, cached by content", against, bar: ratio(3) },
      ...{ ours: { command: graph(store) }, peer: python },
    },
    {
      ...{ name: "build of 500 targets, nothing to do", against: "cached graph", bar: ratio(2) },
      ...{ ours: { command: build }, peer: { command: graph(built) } },
    },
  ];
}

function help(command: CaseInput["command"]): Pick<Case, "ours" | "peer"> {
  return { ours: { command: [...command, "--help"] }, peer: { command: [command[0], "-e", "0"] } };
}

export function buildCases(input: CaseInput): readonly Case[] {
  const { peers } = input;
  if (peers === undefined) return [];
  const files = buildOf(input, "many-files");
  return [
    ...coldAndWarm(input, peers, "one-copy", "one COPY", 1),
    ...coldAndWarm(input, peers, "twenty-runs", "20 RUN steps", 0.6),
    {
      ...{ name: "COPY of 20,000 files, 200 MB, cold", against: "buildx, cache pruned", bar: ratio(0.4) },
      ...{ ours: files.cold, peer: coldBuildx(peers, files.build), sameResult: files.sameAsBuildx },
    },
    {
      ...{ name: "COPY of 20,000 files, 200 MB, cold", against: "buildah, then gzip by skopeo", bar: ratio(0.9) },
      ...{ ours: files.cold, peer: coldBuildah(peers, { ...files.build, output: `${files.build.output}.layout` }) },
    },
  ];
}

/** Warm: every step is in the cache, and both write the image again. */
function coldAndWarm(input: CaseInput, peers: Peers, name: SmallPackage, title: string, most: number): readonly Case[] {
  const { cold, warm, build, sameAsBuildx } = buildOf(input, name);
  const bar = ratio(most);
  return [
    {
      ...{ name: `${title}, cold`, against: "buildx, cache pruned", bar, sameResult: sameAsBuildx },
      ...{ ours: cold, peer: coldBuildx(peers, build) },
    },
    {
      ...{ name: `${title}, warm, image written again`, against: "buildx", bar, sameResult: sameAsBuildx },
      ...{ ours: warm, peer: { command: peers.buildx(build) } },
    },
  ];
}

function coldBuildah(peers: Peers, build: PeerBuild): Side {
  return {
    command: peers.buildah(build),
    before: async () => {
      rmSync(build.output, { recursive: true, force: true });
      await peers.forgetBuildah();
    },
  };
}

/** Our build of a package of the small tree: with an empty store, and with all steps in the store but no output. */
function buildOf({ command, work, small }: CaseInput, name: SmallPackage) {
  const store = join(work, `${name}-store`);
  const output = join(work, `${name}-out`);
  const words = ["build", `core-${name}`, "--tree", small, "--store", store, "--output", output];
  const forget = (...folders: readonly string[]) => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
  const build: PeerBuild = {
    name,
    folder: packageFolder(small, name),
    output: join(work, `${name}.tar`),
  };
  const cold: Side = {
    command: [...command, ...words],
    before: () => {
      forget(store, output);
    },
  };
  const warm: Side = {
    command: cold.command,
    before: () => {
      forget(output);
    },
  };
  const sameAsBuildx = async (): Promise<void> => {
    const theirs = await runProgram(["tar", "-xOf", build.output, "index.json"]);
    const ours = readFileSync(join(output, `core-${name}`, "index.json"), "utf8");
    if (ours !== theirs) throw new Error(`${name}: not BuildKit's image:\nours   ${ours}\ntheirs ${theirs}`);
  };
  return { cold, warm, build, sameAsBuildx };
}

/** The loop of a RUN beside the same loop of the same program in a chroot. */
export function computeCases(input: CaseInput): readonly Case[] {
  if (!existsSync(shellProgram)) return [];
  const root = join(input.work, "chroot");
  mkdirSync(join(root, "bin"), { recursive: true });
  copyFileSync(shellProgram, join(root, shellInImage));
  const asRoot = process.getuid?.() === 0 ? (["chroot"] as const) : (["unshare", "--map-root-user", "chroot"] as const);
  const peer: Side = { command: [...asRoot, root, shellInImage, "sh", "-c", loopScript] };
  return [
    {
      ...{ name: "compute-bound RUN, the whole build", against: "the same command in a chroot", bar: ratio(1.05) },
      ...{ ours: buildOf(input, "compute").cold, peer },
    },
  ];
}
