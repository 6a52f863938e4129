/** The house of ARCHITECTURE.md, held by reading every module. A failure prints the import, or the chain, that broke it. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import { effectPermits, effectfulGlobals, importTable, packageTable, pureModules } from "./import-table.js";
import type { ModuleImport, SourceModule } from "./source-modules.js";
import { exportedNames, readModules, repository } from "./source-modules.js";

const modules = readModules("src", effectfulGlobals);
const production = [...modules.values()].filter((module) => !module.isTest);

function folderOf(path: string): string {
  return path.slice(0, path.indexOf("/"));
}

function place(module: SourceModule, line: number): string {
  return `src/${module.path}:${String(line)}`;
}

function eachImport<T>(judge: (module: SourceModule, one: ModuleImport) => T | undefined): T[] {
  return production.flatMap((module) =>
    module.imports.flatMap((one) => {
      const found = judge(module, one);
      return found === undefined ? [] : [found];
    }),
  );
}

describe("imports between folders", () => {
  it("every folder below src has a row in the import table", () => {
    const entries = readdirSync(join(repository, "src"), { withFileTypes: true });
    expect(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)).toEqual([]);
    const unknown = entries.map((entry) => entry.name).filter((name) => importTable[name] === undefined);
    expect(unknown, "a folder without a row: add it to import-table.ts and ARCHITECTURE.md").toEqual([]);
  });

  it("go only where the table allows, and only through the folder's index.ts", () => {
    const broken = eachImport((module, one) => {
      if (one.target === undefined) return undefined;
      const from = folderOf(module.path);
      const to = folderOf(one.target);
      if (from === to) return undefined;
      const arrow = `${place(module, one.line)} (${from}) -> ${one.target}`;
      if (one.target.startsWith("..")) return `${arrow}: leaves src`;
      if (one.target !== `${to}/index.ts`) return `${arrow}: not through ${to}/index.ts`;
      const allowed = importTable[from] ?? [];
      if (allowed.includes(to)) return undefined;
      const parts = allowed.filter((entry) => entry.startsWith(`${to}/`));
      if (parts.length === 0) return `${arrow}: ${from} may import ${allowed.join(", ") || "nothing"}`;
      const offered = new Set(parts.flatMap((part) => [...exportedNames("src", `${part}/index.ts`)]));
      const foreign = one.names.filter((name) => !offered.has(name));
      return foreign.length === 0 ? undefined : `${arrow}: ${foreign.join(", ")} is not of ${parts.join(", ")}`;
    });
    expect(broken).toEqual([]);
  });

  it("have no cycles, not even of types", () => {
    expect(findCycle()?.join("\n  -> ")).toBeUndefined();
  });

  it("bring npm packages only into the folders that the table names", () => {
    const broken = eachImport((module, one) => {
      if (one.target !== undefined || one.specifier.startsWith("node:")) return undefined;
      const allowed = packageTable[one.specifier] ?? [];
      if (allowed.includes(folderOf(module.path))) return undefined;
      return `${place(module, one.line)} imports ${one.specifier}, which is for ${allowed.join(", ") || "no folder"}`;
    });
    expect(broken).toEqual([]);
  });
});

/** Depth first over all imports, in the order of paths; gives the first chain that comes back to itself. */
function findCycle(): readonly string[] | undefined {
  const done = new Set<string>();
  const chain: string[] = [];
  const visit = (path: string): readonly string[] | undefined => {
    if (chain.includes(path)) return [...chain.slice(chain.indexOf(path)), path];
    if (done.has(path)) return undefined;
    chain.push(path);
    for (const { target } of modules.get(path)?.imports ?? []) {
      const cycle = target === undefined ? undefined : visit(target);
      if (cycle !== undefined) return cycle;
    }
    chain.pop();
    done.add(path);
    return undefined;
  };
  for (const module of production) {
    const cycle = visit(module.path);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe("effects", () => {
  const permitted = (path: string, name: string): boolean =>
    effectPermits.some(({ under, names }) => path.startsWith(under) && (names === "all" || names.has(name)));

  it("come from Node's modules only in host and in the entry points", () => {
    const broken = eachImport((module, one) => {
      const { specifier } = one;
      const isBuiltIn = specifier.startsWith("node:");
      if (!isBuiltIn || one.typeOnly || pureModules.has(specifier) || permitted(module.path, specifier))
        return undefined;
      return `${place(module, one.line)} imports ${specifier}: take it as a port of base/ports.ts`;
    });
    expect(broken).toEqual([]);
  });

  it("come from globals only in host and in the entry points", () => {
    const broken = production.flatMap((module) =>
      module.globals
        .filter((use) => !permitted(module.path, use.name))
        .map((use) => `${place(module, use.line)} uses ${use.name}: take it as a port or a parameter`),
    );
    expect(broken).toEqual([]);
  });
});

describe("files", () => {
  const all = ["src", "test", "tools"].flatMap((folder) =>
    [...readModules(folder, new Set()).values()].map((module) => ({ ...module, path: `${folder}/${module.path}` })),
  );

  it("have at most 400 lines", () => {
    const long = all.filter((module) => module.lines > 400);
    expect(long.map((module) => `${module.path}: ${String(module.lines)} lines`)).toEqual([]);
  });

  it("have kebab-case names", () => {
    const form = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.wasm|\.config|\.d)?\.ts$/;
    expect(all.map((module) => module.path).filter((path) => !form.test(basename(path)))).toEqual([]);
  });

  it("are named after what they hold, not after being used by others", () => {
    const vague = /(?:^|-)(?:utils?|helpers?|common|misc)(?:-|\.)/;
    expect(all.map((module) => module.path).filter((path) => vague.test(basename(path)))).toEqual([]);
  });
});
