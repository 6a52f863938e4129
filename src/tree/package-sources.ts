import type { Source } from "./package.js";
import { checkMirror } from "./mirror.js";
import { isPlaceholderName, placeholderNames, placeholdersOf } from "./placeholders.js";
import { didYouMean, nearestNames } from "./names.js";
import { quoted } from "./problem.js";
import { shownPath, type RawTable, type TomlPath, type TomlReader } from "./toml-reader.js";
import { checkVersion } from "./version-check.js";

const sourceKeys = ["hash", "mirrors", "file", "format", "version", "git_sha"] as const;

/** What the templates of one source may use. */
interface Context {
  readonly reader: TomlReader;
  /** Whether `{version…}` has a value. */
  readonly hasVersion: boolean;
  readonly hasFormat: boolean;
}

/**
 * The sources of a package in the file's order; each one that cannot be used is left out, its faults told to the reader.
 * @param hasVersion whether `[package]` gives a version in any way, good or bad
 */
export function checkSources(reader: TomlReader, hasVersion: boolean): readonly Source[] {
  const tables = reader.table(reader.root, [], "sources");
  if (tables === undefined) return [];
  const sources: Source[] = [];
  for (const name of Object.keys(tables)) {
    const table = reader.table(tables, ["sources"], name);
    if (table === undefined) continue;
    const path = ["sources", name];
    if (!checkSourceName(reader, path, name)) continue;
    const source = readSource(reader, table, path, name, hasVersion);
    if (source !== undefined) sources.push(source);
  }
  return sources;
}

function checkSourceName(reader: TomlReader, path: TomlPath, name: string): boolean {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/.test(name)) return true;
  const message = `expected the name of a source, found ${quoted(name)}`;
  reader.fault(path, { rule: "bad-name", message, hint: "use letters, digits, dashes and underscores" });
  return false;
}

function readSource(
  reader: TomlReader,
  table: RawTable,
  path: TomlPath,
  name: string,
  packageHasVersion: boolean,
): Source | undefined {
  reader.refuseUnknown(table, path, sourceKeys);
  const hash = readHash(reader, table, path);
  const gitSha = readGitSha(reader, table, path);
  const version = reader.oneLine(table, path, "version");
  const goodVersion = version === undefined || checkVersion(reader, [...path, "version"], version);
  const format = readFormat(reader, table, path);
  const context: Context = {
    reader,
    hasVersion: packageHasVersion || Object.hasOwn(table, "version"),
    hasFormat: Object.hasOwn(table, "format"),
  };
  const file = readFile(context, table, path);
  const mirrors = readMirrors(context, table, path);
  const faultyFile = file === undefined && Object.hasOwn(table, "file");
  if (hash === undefined || mirrors.length === 0 || faultyFile) return undefined;
  return { name, hash, file, format, version: goodVersion ? version : undefined, gitSha, mirrors };
}

function readHash(reader: TomlReader, table: RawTable, path: TomlPath): string | undefined {
  const hash = reader.oneLine(table, path, "hash");
  const hint = "give the file's SHA-256: sha256sum FILE";
  if (hash === undefined) {
    if (Object.hasOwn(table, "hash")) return undefined;
    const message = `expected a hash in [${shownPath(path)}], found none`;
    reader.fault(path, { rule: "missing-hash", message, hint });
    return undefined;
  }
  if (/^[0-9a-fA-F]{64}$/.test(hash)) return hash.toLowerCase();
  const found = `found ${quoted(hash)} (${String(hash.length)} characters)`;
  const message = `expected 64 hexadecimal digits for ${shownPath([...path, "hash"])}, ${found}`;
  reader.fault([...path, "hash"], { rule: "bad-hash", message, hint });
  return undefined;
}

function readGitSha(reader: TomlReader, table: RawTable, path: TomlPath): string | undefined {
  const gitSha = reader.oneLine(table, path, "git_sha");
  if (gitSha === undefined || /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(gitSha)) return gitSha;
  const place = [...path, "git_sha"];
  const message = `expected 40 or 64 small hexadecimal digits for ${shownPath(place)}, found ${quoted(gitSha)}`;
  reader.fault(place, { rule: "bad-git-sha", message, hint: "give the whole id of the commit" });
  return undefined;
}

function readFormat(reader: TomlReader, table: RawTable, path: TomlPath): string | undefined {
  const format = reader.oneLine(table, path, "format");
  if (format === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(format)) return format;
  const place = [...path, "format"];
  const message = `expected a file name's ending such as tar.gz for ${shownPath(place)}, found ${quoted(format)}`;
  reader.fault(place, { rule: "bad-format", message, hint: "write it without a dot before it" });
  return undefined;
}

function readFile(context: Context, table: RawTable, path: TomlPath): string | undefined {
  const file = context.reader.oneLine(table, path, "file");
  if (file === undefined || !checkPlaceholders(context, [...path, "file"], file)) return undefined;
  const place = [...path, "file"];
  if (file.includes("{file}")) {
    const message = `{file} cannot stand in ${shownPath(place)}, which it is made from`;
    context.reader.fault(place, { rule: "unknown-placeholder", message, hint: "take {file} away" });
    return undefined;
  }
  if (file !== "" && file !== "." && file !== ".." && !file.includes("/")) return file;
  const message = `expected a file's name without folders for ${shownPath(place)}, found ${quoted(file)}`;
  context.reader.fault(place, { rule: "bad-file-name", message, hint: "the file is put into fetch/ under this name" });
  return undefined;
}

function readMirrors(context: Context, table: RawTable, path: TomlPath): readonly string[] {
  const { reader } = context;
  const raw = reader.texts(table, path, "mirrors");
  if (raw?.length === 0 || (raw === undefined && !Object.hasOwn(table, "mirrors"))) {
    const message = `expected one or more addresses in mirrors of [${shownPath(path)}], found none`;
    const place = raw === undefined ? path : [...path, "mirrors"];
    reader.fault(place, { rule: "no-mirror", message, hint: "say where the file can be fetched" });
  }
  return (raw ?? []).filter((mirror, index) => {
    const item = [...path, "mirrors", String(index)];
    if (!checkPlaceholders(context, item, mirror)) return false;
    const fault = checkMirror(mirror);
    if (fault !== undefined) reader.fault(item, fault);
    return fault === undefined;
  });
}

/** Refuses placeholders that do not exist, and those that have no value here. */
function checkPlaceholders(context: Context, path: TomlPath, template: string): boolean {
  if (!template.includes("{") && !template.includes("}")) return true;
  const { reader, hasVersion, hasFormat } = context;
  let good = true;
  for (const name of new Set(placeholdersOf(template))) {
    if (!isPlaceholderName(name)) {
      const guess = didYouMean(nearestNames(name, placeholderNames));
      const known = placeholderNames.map((known) => `{${known}}`).join(" ");
      const message = `unknown placeholder ${quoted(`{${name}}`)} in ${shownPath(path)}`;
      reader.fault(path, { rule: "unknown-placeholder", message, hint: guess === "" ? `known: ${known}` : guess });
    } else if (name.startsWith("version") && !hasVersion) {
      const message = `${shownPath(path)} uses {${name}}, and neither the package nor the source has a version`;
      reader.fault(path, { rule: "missing-version", message, hint: "give the package version or version_from" });
    } else if (name === "format" && !hasFormat) {
      const message = `${shownPath(path)} uses {format}, and the source has no format`;
      reader.fault(path, { rule: "missing-format", message, hint: 'write format = "tar.gz" or the like' });
    } else continue;
    good = false;
  }
  return good;
}
