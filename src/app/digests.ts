/** The use case of `digests`: what the layouts hold, against the lines of `digests/`. */
import type { Digest, FileSystem } from "../base/index.js";
import { StagewrightError, compareText, hexOf, isSha256Hex, malformed, systemErrorCode } from "../base/index.js";
import type { Target } from "../graph/index.js";
import { parsePlatform, resolveTargets } from "../graph/index.js";
import type { Descriptor, Layout } from "../oci/index.js";
import { parseIndex, readImage, readLayout, readVerifiedBlob, verifiedChunks } from "../oci/index.js";
import type { LoadedTree } from "./load-tree.js";
import type { ReportTool } from "./fetch-report.js";
import { thisTool } from "./this-tool.js";

export interface DigestsTarget {
  readonly id: string;
  readonly platform: string;
  /** Of the platform's manifest in the layout; null where nothing was built. */
  readonly digest: Digest | null;
  readonly indexDigest: Digest | null;
  /** Bytes of config and layers; null where nothing was built. */
  readonly size: number | null;
  readonly seconds: null;
  readonly cached: true;
  /** What `digests/` says; null where it says nothing. */
  readonly expected: Digest | null;
  /** `damaged`: a layout is there, and is not what it says. */
  readonly verdict: "equal" | "differs" | "not built" | "not listed" | "damaged";
  /** What is wrong with a damaged layout. */
  readonly damage?: string;
}

export interface DigestsReport {
  readonly tool: ReportTool;
  readonly targets: readonly DigestsTarget[];
  /** Lines for targets that the tree does not have. */
  readonly unknown: readonly string[];
  readonly reasons?: readonly string[];
}

export interface DigestsOptions {
  readonly tree: LoadedTree;
  readonly words: readonly string[];
  readonly outputFolder: string;
  readonly mode: "show" | "write" | "verify";
}

const lineForm = /^([0-9a-f]{64}) ([a-z]+)-(\S+)$/;

/**
 * What was built, beside what is listed; a damaged layout hides no other. In mode `write` the lists are written first.
 * @throws malformed `unknown-target`, `ambiguous-target`, `bad-digests-file`
 */
export function runDigests(options: DigestsOptions, files: FileSystem): DigestsReport {
  const { tree, words } = options;
  const { targets } = tree.graph;
  const ids = words.length === 0 ? [...targets.keys()] : resolveTargets(targets, words);
  const listed = readDigests(tree.root, files);
  const rows = ids.flatMap((id) => {
    const target = targets.get(id);
    return target === undefined ? [] : [digestsTarget(target, options, listed.get(id), files)];
  });
  const unknown = [...listed.keys()].filter((id) => !targets.has(id)).sort(compareText);
  if (options.mode === "write") {
    writeDigests(tree.root, merged(listed, rows, targets), files);
    return runDigests({ ...options, mode: "show" }, files);
  }
  const reasons = [...damageReasons(rows), ...(options.mode === "verify" ? verifyReasons(rows, unknown) : [])];
  const report = { tool: thisTool, targets: rows, unknown };
  return reasons.length === 0 ? report : { ...report, reasons };
}

/** 1 where a layout is damaged or a digest differs; 3 where nothing was built to compare with; 0 otherwise. */
export function digestsStatus(report: DigestsReport, mode: DigestsOptions["mode"]): 0 | 1 | 3 {
  if (report.targets.some(({ verdict }) => verdict === "damaged")) return 1;
  if (mode !== "verify" || report.reasons === undefined) return 0;
  const differs = report.targets.some(({ verdict }) => verdict === "differs" || verdict === "not listed");
  return differs || report.unknown.length > 0 ? 1 : 3;
}

function damageReasons(rows: readonly DigestsTarget[]): string[] {
  return rows.flatMap(({ id, damage }) => (damage === undefined ? [] : [`${id}: ${damage}`]));
}

function verifyReasons(rows: readonly DigestsTarget[], unknown: readonly string[]): string[] {
  const bad = rows.filter(
    ({ verdict, expected }) =>
      verdict !== "equal" && verdict !== "damaged" && (verdict !== "not built" || expected !== null),
  );
  return [
    ...bad.map(({ id, verdict, digest, expected }) =>
      verdict === "differs" ? `${id}: expected ${String(expected)}, found ${String(digest)}` : `${id}: ${verdict}`,
    ),
    ...unknown.map((id) => `${id}: listed in digests/, not in the tree`),
  ];
}

function digestsTarget(
  target: Target,
  options: DigestsOptions,
  expected: Digest | undefined,
  files: FileSystem,
): DigestsTarget {
  const platform = target.package.platforms[0] ?? "linux/amd64";
  const deep = options.mode !== "show";
  const read = tryReadBuilt(`${options.outputFolder}/${target.id}`, platform, files, deep);
  const found = "damage" in read ? undefined : read.built;
  return {
    id: target.id,
    platform,
    digest: found?.digest ?? null,
    indexDigest: found?.indexDigest ?? null,
    size: found?.size ?? null,
    ...({ seconds: null, cached: true } as const),
    expected: expected ?? null,
    ...("damage" in read
      ? { verdict: "damaged", damage: read.damage }
      : { verdict: verdictOf(found?.digest, expected) }),
  };
}

function verdictOf(found: Digest | undefined, expected: Digest | undefined): DigestsTarget["verdict"] {
  if (found === undefined) return "not built";
  if (expected === undefined) return "not listed";
  return found === expected ? "equal" : "differs";
}

function tryReadBuilt(folder: string, platform: string, files: FileSystem, deep: boolean) {
  try {
    return { built: readBuilt(folder, platform, files, deep) };
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    return { damage: `${thrown.subject ?? folder}: ${thrown.message}` };
  }
}

/** @param deep whether the bytes of the layers are proven, too */
function readBuilt(folder: string, platform: string, files: FileSystem, deep: boolean) {
  if (files.lstatSync(`${folder}/index.json`, { throwIfNoEntry: false }) === undefined) return undefined;
  const layout = readLayout(folder, files);
  const { descriptor, manifest } = readImage(layout, parsePlatform(platform));
  if (deep) for (const layer of manifest.layers) proveBlob(layout, layer);
  const outer = layout.index.manifests[0];
  if (outer === undefined) return undefined;
  parseIndex(readVerifiedBlob(layout, outer), folder);
  const size = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
  return { digest: descriptor.digest, indexDigest: outer.digest, size };
}

/** @throws rejected `blob-missing`, `blob-size`, `blob-digest` */
function proveBlob(layout: Layout, layer: Descriptor): void {
  const chunks = verifiedChunks(layout, layer);
  while (chunks.next().done !== true); // the proof comes with the last piece
}

/** Every line of digests/STAGE.txt, by target. Other platforms, in folders below it, are not read. */
function readDigests(root: string, files: FileSystem): Map<string, Digest> {
  const listed = new Map<string, Digest>();
  for (const name of digestFiles(root, files)) {
    const path = `${root}/digests/${name}`;
    const text = files.readFileSync(path, "utf8");
    for (const [index, line] of text.split("\n").entries()) {
      if (line === "") continue;
      const match = lineForm.exec(line);
      const [, hex = "", stage = "", rest = ""] = match ?? [];
      if (match === null || !isSha256Hex(hex) || `${stage}.txt` !== name) throw badLine(path, index + 1, name);
      listed.set(`${stage}-${rest}`, `sha256:${hex}`);
    }
  }
  return listed;
}

function digestFiles(root: string, files: FileSystem): string[] {
  try {
    return files
      .readdirSync(`${root}/digests`)
      .filter((name) => name.endsWith(".txt"))
      .sort(compareText);
  } catch (thrown) {
    if (systemErrorCode(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

function badLine(path: string, line: number, file: string): Error {
  return malformed({
    code: "bad-digests-file",
    message: `expected 64 hexadecimal digits, a blank and a target of stage ${file.replace(/\.txt$/, "")}`,
    subject: `${path}:${String(line)}`,
    hint: "write the file anew with `stagewright digests --write`",
  });
}

/** What was built goes over what is listed; lines of targets that are gone go too. */
function merged(
  listed: ReadonlyMap<string, Digest>,
  rows: readonly DigestsTarget[],
  targets: ReadonlyMap<string, Target>,
): Map<string, Digest> {
  const result = new Map([...listed].filter(([id]) => targets.has(id)));
  for (const { id, digest } of rows) if (digest !== null) result.set(id, digest);
  return result;
}

function writeDigests(root: string, digests: ReadonlyMap<string, Digest>, files: FileSystem): void {
  const byStage = new Map<string, string[]>();
  for (const [id, digest] of [...digests].sort(([a], [b]) => compareText(a, b))) {
    const stage = id.slice(0, id.indexOf("-"));
    byStage.set(stage, [...(byStage.get(stage) ?? []), `${hexOf(digest)} ${id}\n`]);
  }
  files.mkdirSync(`${root}/digests`, { recursive: true });
  for (const [stage, lines] of byStage) {
    const path = `${root}/digests/${stage}.txt`;
    files.writeFileSync(`${path}.partial`, lines.join(""));
    files.renameSync(`${path}.partial`, path);
  }
}
