/** ARCHITECTURE.md says what is: its table is the import table, and the paths that it names exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import { importTable } from "./import-table.js";
import { repository } from "./source-modules.js";

const text = readFileSync(join(repository, "ARCHITECTURE.md"), "utf8");

/** Folders that git cannot keep, for nothing is in them yet, and those that the build makes. */
const absent = new Set(["src/review/", "src/reproduce/", "src/publish/", "src/trust/", "src/web/", "dist/", "out/"]);

describe("ARCHITECTURE.md", () => {
  it("shows the import table that the tests hold", () => {
    const rows = [...text.matchAll(/^\| `([a-z]+)` \| (.*) \|$/gm)].map(([, folder, cell]) => [
      folder,
      cell === "nothing" ? [] : (cell ?? "").split(", ").map((item) => item.replaceAll("`", "")),
    ]);
    expect(Object.fromEntries(rows)).toEqual(importTable);
  });

  it("names only paths that exist", () => {
    const named = [...text.matchAll(/`((?:src|test|tools|scripts|docs|packages|digests|dist|out|\.ci)\/[\w./-]*)`/g)];
    const paths = named.map(([, path]) => path ?? "");
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !absent.has(path) && !existsSync(join(repository, path)))).toEqual([]);
  });
});
