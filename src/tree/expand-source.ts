import { malformed } from "../base/index.js";

import { parseMirror, type Mirror } from "./mirror.js";
import type { Package, Source } from "./package.js";
import { expandTemplate, type PlaceholderValues } from "./placeholders.js";
import { quoted } from "./problem.js";
import { versionForms } from "./version-forms.js";

/** A source with every placeholder replaced: what is fetched, from where, and under which name it stands in `fetch/`. */
export interface ExpandedSource {
  readonly name: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** One path component, never `.` or `..`. */
  readonly fileName: string;
  readonly mirrors: readonly Mirror[];
}

/**
 * Expands one source. Placeholders take the source's own version where it has one, else `packageVersion`.
 * @throws malformed `missing-version`, `missing-format`, `unknown-placeholder`, `bad-mirror` or `bad-file-name`; the
 * subject is `FOLDER/package.toml`.
 */
export function expandSource(pkg: Package, source: Source, packageVersion: string | undefined): ExpandedSource {
  const version = source.version ?? packageVersion;
  const base = {
    version: version === undefined ? undefined : versionForms(version),
    format: source.format,
  };
  const fileName = fileNameOf(pkg, source, base);
  const mirrors = source.mirrors.map((template) => expandMirror(pkg, source, template, { ...base, file: fileName }));
  return { name: source.name, sha256: source.hash, fileName, mirrors };
}

/** The name of a source's file in `fetch/`. Same errors as {@link expandSource}. */
export function sourceFileName(pkg: Package, source: Source, packageVersion: string | undefined): string {
  const version = source.version ?? packageVersion;
  return fileNameOf(pkg, source, {
    version: version === undefined ? undefined : versionForms(version),
    format: source.format,
  });
}

function fileNameOf(pkg: Package, source: Source, base: Omit<PlaceholderValues, "file">): string {
  const values = { ...base, file: undefined };
  const template = source.file ?? lastPart(source.mirrors[0] ?? "");
  const name = expand(pkg, source, template, values);
  if (name !== "" && name !== "." && name !== ".." && !/[/\u0000]/.test(name) && name.length <= 255) return name;
  throw malformed({
    code: "bad-file-name",
    subject: `${pkg.folder}/package.toml`,
    message: `expected a file's name for the source ${source.name}, found ${quoted(name)}`,
    hint: `write file = "…" in [sources.${source.name}]`,
  });
}

/** The last part of an address's path, without query and fragment. */
function lastPart(template: string): string {
  const path = template.split(/[?#]/, 1)[0] ?? "";
  return path.slice(path.lastIndexOf("/") + 1);
}

function expandMirror(pkg: Package, source: Source, template: string, values: PlaceholderValues): Mirror {
  const address = expand(pkg, source, template, values);
  const mirror = parseMirror(address);
  if (mirror !== undefined) return mirror;
  throw malformed({
    code: "bad-mirror",
    subject: `${pkg.folder}/package.toml`,
    message: `expected an address for the source ${source.name}, found ${quoted(address)}`,
    hint: "write the whole address, with blanks as %20",
  });
}

function expand(pkg: Package, source: Source, template: string, values: PlaceholderValues): string {
  const expanded = expandTemplate(template, values);
  if ("text" in expanded) return expanded.text;
  const { missing } = expanded;
  const code = missing.startsWith("version")
    ? "missing-version"
    : missing === "format"
      ? "missing-format"
      : "unknown-placeholder";
  throw malformed({
    code,
    subject: `${pkg.folder}/package.toml`,
    message: `the source ${source.name} uses {${missing}}, which has no value here`,
    hint: "give the package version or version_from, and the source a format",
  });
}
