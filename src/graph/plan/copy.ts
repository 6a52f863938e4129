/** COPY and ADD: one file step, with one action for each source and each heredoc (rules PL-60 to PL-72). */
import { isDigest } from "../../base/index.js";
import { flagValue, flagValues, isFlagSet, quoted, type CopyInstruction, type Position } from "../../tree/index.js";
import type { CopyAction, FileAction, MkfileAction, Owner, SourceRef } from "../definition.js";
import { downloadName, isGitAddress, isUrl } from "./git-address.js";
import { checkHeredocName } from "./heredoc-name.js";
import { cleanPath, resolveDestination, resolvePath } from "./paths.js";
import {
  addStep,
  commit,
  flagPosition,
  originOf,
  refuse,
  sourceRef,
  type PlanContext,
  type StageState,
} from "./plan-context.js";
import { copySourceName } from "./source-names.js";

/** A COPY or ADD with its words expanded. */
interface Copy {
  readonly instruction: CopyInstruction;
  readonly sources: readonly string[];
  /** As expanded, for the history. */
  readonly destinationText: string;
  readonly destination: string;
  readonly chown: string;
  readonly owner: Owner | undefined;
  readonly chmod: string | undefined;
  readonly mode: number | undefined;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string;
}

export function planCopy(plan: PlanContext, state: StageState, instruction: CopyInstruction): void {
  const copy = readCopy(plan, state, instruction);
  checkChecksum(plan, copy);
  const from = contextOf(plan, instruction);
  const actions: FileAction[] = [
    ...copy.sources.map((source) => copyAction(plan, copy, from, source)),
    ...instruction.heredocs.map(({ name, content, expand }) => {
      const data = expand ? plan.words.heredoc(content, state.env, instruction.start) : content;
      return heredocAction(plan, copy, name, data);
    }),
  ];
  addStep(plan, state, {
    kind: "file",
    base: state.root,
    actions,
    // BuildKit drops --link where --chmod is given.
    link: isFlagSet(instruction, "link") && copy.chmod === undefined,
    origin: originOf(instruction),
  });
  commit(plan, state, `${historyText(copy)} # buildkit`, true, instruction.start);
}

function readCopy(plan: PlanContext, state: StageState, instruction: CopyInstruction): Copy {
  const { start } = instruction;
  const expand = (word: string): string => plan.words.expand(word, state.env, start);
  const destinationText = expand(instruction.destination);
  const chown = expand(flagValue(instruction, "chown") ?? "");
  const chmod = flagValue(instruction, "chmod") || undefined;
  return {
    instruction,
    sources: instruction.sources.map(expand),
    destinationText,
    destination: resolveDestination(cleanPath(state.image.workingDirectory), destinationText),
    chown,
    owner: ownerOf(chown),
    chmod,
    mode: chmod === undefined ? undefined : modeOf(plan, chmod, flagPosition(instruction, "chmod")),
    parents: isFlagSet(instruction, "parents"),
    exclude: flagValues(instruction, "exclude").map(expand),
    checksum: expand(flagValue(instruction, "checksum") ?? ""),
  };
}

/** `USER[:GROUP]` as an owner; undefined where it is empty. */
export function ownerOf(text: string): Owner | undefined {
  if (text === "") return undefined;
  const colon = text.indexOf(":");
  return colon < 0 ? { user: text, group: undefined } : { user: text.slice(0, colon), group: text.slice(colon + 1) };
}

function modeOf(plan: PlanContext, chmod: string, position: Position): number {
  if (/^[0-7]{1,11}$/.test(chmod) && parseInt(chmod, 8) <= 0o7777) return parseInt(chmod, 8);
  throw refuse(plan, position, {
    code: "bad-chmod",
    message: `expected an octal mode such as 0755, found ${quoted(chmod)}`,
    hint: "Write the number. BuildKit 0.13 ignores any other form without a word, and later ones differ from it.",
  });
}

function contextOf(plan: PlanContext, instruction: CopyInstruction): SourceRef {
  const named = copySourceName(instruction);
  if (named === undefined) return { kind: "context", name: "", dockerignore: true };
  return sourceRef(plan, plan.table.originOf(named.name, named.position, true));
}

function copyAction(plan: PlanContext, copy: Copy, from: SourceRef, source: string): CopyAction {
  const { destination, owner, mode, exclude, instruction } = copy;
  const isAdd = instruction.keyword === "ADD";
  if (isGitAddress(source)) throw gitRefusal(plan, copy, source);
  if (isUrl(source)) return downloadAction(plan, copy, source);
  return {
    kind: "copy",
    from,
    source: copy.parents ? pivotPath(source) : cleanPath(source),
    destination,
    owner,
    mode,
    unpack: isAdd && flagValue(instruction, "unpack")?.toLowerCase() !== "false",
    parents: copy.parents,
    exclude,
    wildcard: true,
  };
}

/** With `--parents` the part after `/./` is kept as folders; without that mark, the whole path. */
function pivotPath(source: string): string {
  const pivot = source.indexOf("/./");
  if (pivot < 0) return cleanPath(source);
  const folder = cleanPath(source.slice(0, pivot));
  return `${folder === "/" ? "" : folder}/.${resolvePath("/", source.slice(pivot + "/./".length))}`;
}

function downloadAction(plan: PlanContext, copy: Copy, url: string): CopyAction {
  const { instruction, checksum } = copy;
  if (instruction.keyword === "COPY") {
    throw refuse(plan, instruction.start, {
      code: "copy-of-url",
      message: `expected a path, found the address ${quoted(url)}`,
      hint: "Write ADD --checksum=sha256:HEX, or list the file among the sources of package.toml.",
    });
  }
  if (!isDigest(checksum)) throw checksumRefusal(plan, copy, url);
  const fileName = downloadName(url);
  if (fileName === undefined) {
    throw refuse(plan, instruction.start, {
      code: "bad-download-name",
      message: `expected an address that ends in a file name, found ${quoted(url)}`,
      hint: "Use an address whose path ends in the name of the file.",
    });
  }
  const from: SourceRef = { kind: "download", url, sha256: checksum.slice("sha256:".length), fileName };
  const { destination, owner, mode, exclude } = copy;
  const common = { destination, owner, mode, exclude, unpack: false, parents: false, wildcard: false };
  return { kind: "copy", from, source: `/${fileName}`, ...common };
}

function heredocAction(plan: PlanContext, copy: Copy, name: string, data: string): MkfileAction {
  checkHeredocName(plan, name, copy.instruction.start);
  return { kind: "mkfile", name, destination: copy.destination, data, mode: copy.mode, owner: copy.owner };
}

function checkChecksum(plan: PlanContext, { instruction, checksum, sources }: Copy): void {
  if (checksum === "") return;
  const only = sources[0];
  if (sources.length === 1 && instruction.heredocs.length === 0 && only !== undefined && isUrl(only)) return;
  throw refuse(plan, flagPosition(instruction, "checksum"), {
    code: "checksum-without-url",
    message: `expected --checksum with one http or https address, found ${sources.length} sources${only === undefined ? "" : ` from ${quoted(only)}`}`,
    hint: "Give each address an ADD of its own, and leave --checksum out for local files.",
  });
}

function checksumRefusal(plan: PlanContext, { instruction, checksum }: Copy, url: string): Error {
  const missing = checksum === "";
  return refuse(plan, missing ? instruction.start : flagPosition(instruction, "checksum"), {
    code: missing ? "url-without-checksum" : "bad-checksum",
    message: missing
      ? `expected --checksum for the download of ${quoted(url)}, found none`
      : `expected --checksum=sha256: and 64 lower-case hexadecimal digits, found ${quoted(checksum)}`,
    hint: "Write ADD --checksum=sha256:HEX URL DESTINATION: nothing unproven enters a build.",
  });
}

function gitRefusal(plan: PlanContext, { instruction }: Copy, source: string): Error {
  return refuse(plan, instruction.start, {
    code: "git-source",
    message: `expected a path or an address with a checksum, found the git repository ${quoted(source)}`,
    hint: "Use an archive of the commit with --checksum; a folder named *.git is written with ./ before it.",
  });
}

/** BuildKit 0.13 shows these flags and no others. */
function historyText({ instruction, sources, destinationText, parents, chown, chmod }: Copy): string {
  return [
    instruction.keyword,
    ...(parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...instruction.heredocs.map(({ name }) => `<<${name}`),
    destinationText,
  ].join(" ");
}
