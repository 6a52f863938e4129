import { StagewrightError } from "../base/index.js";

import { sourceFileName } from "./expand-source.js";
import type { Package } from "./package.js";
import type { TomlReader } from "./toml-reader.js";

// Stands for a version that only the whole tree knows; two templates that meet with it meet with any.
const anyVersion = "0";

/** Refuses sources without a file name, and two sources of a package that would be one file in `fetch/`. */
export function checkFileNames(reader: TomlReader, pkg: Package): void {
  if (pkg.sources.length === 1 && pkg.sources[0]?.file !== undefined) return;
  const owners = new Map<string, string>();
  for (const source of pkg.sources) {
    const path = ["sources", source.name];
    const fileName = nameOf(reader, pkg, source);
    if (fileName === undefined) continue;
    const owner = owners.get(fileName);
    if (owner === undefined) owners.set(fileName, source.name);
    else {
      const message = `the sources ${owner} and ${source.name} are both the file ${JSON.stringify(fileName)} in fetch/`;
      reader.fault([...path, "file"], { rule: "duplicate-file", message, hint: "give each its own file name" });
    }
  }
}

function nameOf(reader: TomlReader, pkg: Package, source: Package["sources"][number]): string | undefined {
  try {
    return sourceFileName(pkg, source, pkg.version ?? anyVersion);
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    const hint = 'write file = "…" with the name that the file shall have in fetch/';
    reader.fault(["sources", source.name], { rule: "bad-file-name", message: thrown.message, hint });
    return undefined;
  }
}
