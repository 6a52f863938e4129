/** Rules about where a package's sources come from. */
import { quoted, type Source } from "../../tree/index.js";
import type { LintFinding, LintPackage, LintRule } from "./rule.js";

export const oneMirror: LintRule = {
  id: "one-mirror",
  severity: "warning",
  title: "every source has two mirrors or more",
  check: (input) =>
    sourcesOf(input, (source) => {
      if (source.mirrors.length !== 1) return undefined;
      const message = `expected two mirrors or more for the source ${source.name}, found one`;
      return { key: "mirrors", message, hint: "add a second place, such as a distribution's archive" };
    }),
};

export const httpOnly: LintRule = {
  id: "http-only",
  severity: "warning",
  title: "no source is fetched by plain http alone",
  check: (input) =>
    sourcesOf(input, (source) => {
      if (!source.mirrors.every((mirror) => /^http:/i.test(mirror))) return undefined;
      const message = `expected an https mirror for the source ${source.name}, found http only`;
      return { key: "mirrors", message, hint: "anyone on the way can see and stop the download: add an https mirror" };
    }),
};

export const sameMirror: LintRule = {
  id: "same-mirror",
  severity: "warning",
  title: "no mirror of a source stands twice",
  check: (input) =>
    sourcesOf(input, (source) => {
      const twice = source.mirrors.find((mirror, index) => source.mirrors.indexOf(mirror) !== index);
      if (twice === undefined) return undefined;
      return { key: "mirrors", message: `the mirror ${quoted(twice)} stands twice`, hint: "take one away" };
    }),
};

export const archiveSuffix: LintRule = {
  id: "archive-suffix",
  severity: "warning",
  title: "a source's file name has the ending of its mirrors",
  check: (input) =>
    sourcesOf(input, (source) => {
      const file = source.file === undefined ? undefined : suffixOf(source.file, source);
      const mirror = source.mirrors.find((template) => {
        const suffix = suffixOf(template, source);
        return suffix !== undefined && file !== undefined && suffix !== file;
      });
      if (mirror === undefined || file === undefined) return undefined;
      const message = `expected a mirror that ends in .${file} as the file does, found ${quoted(mirror)}`;
      return { key: "mirrors", message, hint: "name the file for what it holds" };
    }),
};

export const argumentName: LintRule = {
  id: "argument-name",
  severity: "warning",
  title: "a source with its own version has a name that can be a variable's",
  check: (input) =>
    sourcesOf(input, (source) => {
      if (source.version === undefined && source.gitSha === undefined) return undefined;
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(source.name)) return undefined;
      const message = `the argument ${source.name.toUpperCase()}_VERSION cannot be used: it is no variable's name`;
      return { key: undefined, message, hint: "use letters, digits and underscores in the source's name" };
    }),
};

interface SourceFinding {
  /** Key in the source's table, or undefined for the table. */
  readonly key: string | undefined;
  readonly message: string;
  readonly hint: string;
}

function sourcesOf(
  { package: pkg, tomlLine }: LintPackage,
  find: (source: Source) => SourceFinding | undefined,
): readonly LintFinding[] {
  return pkg.sources.flatMap((source) => {
    const found = find(source);
    if (found === undefined) return [];
    const path = ["sources", source.name, ...(found.key === undefined ? [] : [found.key])];
    const place = { line: tomlLine(path), column: 1 };
    return [{ in: "package.toml", place, message: found.message, hint: found.hint }];
  });
}

const sameSuffix: Readonly<Record<string, string>> = { tgz: "gz", tbz: "bz2", tbz2: "bz2", txz: "xz", tzst: "zst" };

/** How the file that a template names is packed, where its ending tells. */
function suffixOf(template: string, source: Source): string | undefined {
  const path = template.replaceAll("{format}", source.format ?? "").replaceAll("{file}", "");
  const suffix = /\.(gz|tgz|bz2|tbz2?|xz|txz|zst|tzst|zip|lz)$/.exec(path)?.[1];
  return suffix === undefined ? undefined : (sameSuffix[suffix] ?? suffix);
}
