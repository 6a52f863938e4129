/**
 * Which packages a tree has: the folders `packages/STAGE/NAME`. Rules TR-1 to TR-6 of docs/spec/tree.md.
 */
import { compareText, limits, malformed, messageOf, systemErrorCode, type FileSystem } from "../base/index.js";

import { isPackageName, isStageName, stageNames, type StageName } from "./names.js";
import type { PackagePlace } from "./package-toml.js";
import { quoted, type Problem } from "./problem.js";

/** The part of the outside world that reading a tree needs. */
export type TreeFileSystem = Pick<FileSystem, "lstatSync" | "readFileSync" | "readdirSync">;

/** A folder of a tree: one of its entries. */
interface Entry {
  readonly name: string;
  readonly folder: boolean;
  readonly link: boolean;
}

/**
 * Lists the package folders of a tree, sorted by stage and name, with what is wrong with the folders themselves.
 * @param root the tree's root, absolute
 * @throws malformed `no-tree` when the root has no folder `packages`; `too-many-packages`
 */
export function listPackages(
  fs: TreeFileSystem,
  root: string,
): { readonly places: readonly PackagePlace[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const places: PackagePlace[] = [];
  for (const entry of readRoot(fs, root)) {
    const stage = stageOf(entry, problems);
    if (stage === undefined) continue;
    for (const child of readFolder(fs, root, `packages/${stage}`, problems)) {
      const folder = `packages/${stage}/${child.name}`;
      if (isPackageFolder(child, folder, problems)) places.push({ stage, name: child.name, folder });
    }
  }
  if (places.length > limits.packages) throw tooMany(places.length);
  return { places, problems };
}

function readRoot(fs: TreeFileSystem, root: string): readonly Entry[] {
  try {
    return entriesOf(fs, `${root}/packages`);
  } catch (thrown) {
    throw malformed({
      code: "no-tree",
      subject: `${root}/packages`,
      message: `expected the folder packages of a tree: ${messageOf(thrown)}`,
      hint: "run the command in the tree's root, or name it with --tree DIR",
      cause: thrown,
    });
  }
}

function entriesOf(fs: TreeFileSystem, path: string): readonly Entry[] {
  return fs
    .readdirSync(path, { withFileTypes: true })
    .map((entry) => ({ name: entry.name, folder: entry.isDirectory(), link: entry.isSymbolicLink() }))
    .sort((a, b) => compareText(a.name, b.name));
}

function readFolder(fs: TreeFileSystem, root: string, folder: string, problems: Problem[]): readonly Entry[] {
  try {
    return entriesOf(fs, `${root}/${folder}`);
  } catch (thrown) {
    const code = systemErrorCode(thrown) ?? "error";
    problems.push(folderProblem(folder, "unreadable", `cannot list the folder: ${code}`, "see its owner and mode"));
    return [];
  }
}

function stageOf(entry: Entry, problems: Problem[]): StageName | undefined {
  if (!entry.folder && !entry.link) return undefined;
  const folder = `packages/${entry.name}`;
  if (entry.link) problems.push(linkProblem(folder));
  else if (isStageName(entry.name)) return entry.name;
  else {
    const message = `expected one of the stages ${stageNames.join(", ")}, found ${quoted(entry.name)}`;
    problems.push(folderProblem(folder, "unknown-stage", message, "move its packages to one of the stages"));
  }
  return undefined;
}

function isPackageFolder(entry: Entry, folder: string, problems: Problem[]): boolean {
  if (entry.link) problems.push(linkProblem(folder));
  if (!entry.folder) return false;
  if (isPackageName(entry.name)) return true;
  const message = `expected the name of a package, found ${quoted(entry.name)}`;
  const hint = "use small letters and digits, with single dots, dashes or underscores between them";
  problems.push(folderProblem(folder, "bad-name", message, hint));
  return false;
}

function linkProblem(folder: string): Problem {
  const message = "expected a folder, found a symbolic link";
  return folderProblem(folder, "symbolic-link", message, "put the folder itself here: links may lead out of the tree");
}

function folderProblem(folder: string, rule: string, message: string, hint: string): Problem {
  const file = quoted(folder).slice(1, -1);
  return { rule, severity: "error", file, line: 1, column: 1, message, hint };
}

function tooMany(found: number): Error {
  return malformed({
    code: "too-many-packages",
    subject: "packages",
    message: `expected at most ${String(limits.packages)} packages, found ${String(found)}`,
    hint: "split the tree",
  });
}
