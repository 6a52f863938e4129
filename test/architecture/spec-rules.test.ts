/** The rules of docs/spec and the citations of them in code and tests must meet. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import { repository } from "./source-modules.js";
import { uncitedRules } from "./uncited-rules.js";

function filesBelow(folder: string, extension: RegExp): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => extension.test(path))
    .map((path) => `${folder}/${path}`)
    .sort();
}

/** Rule id to the page that defines it: an id in bold. */
const defined = new Map<string, string>();
const duplicates: string[] = [];
for (const page of filesBelow("docs/spec", /\.md$/)) {
  for (const [, id = ""] of readFileSync(join(repository, page), "utf8").matchAll(/\*\*([A-Z]{2}-\d+)\*\*/g)) {
    if (defined.has(id)) duplicates.push(`${id}: ${defined.get(id) ?? ""} and ${page}`);
    defined.set(id, page);
  }
}

/** Ids of a text; `SO-40 to SO-47` cites those between that there are. */
function idsOf(text: string): string[] {
  const span = /\b([A-Z]{2})-(\d{1,4}) to \1-(\d{1,4})\b/g;
  const ranges = [...text.matchAll(span)].flatMap(([, area = "", from, to]) =>
    Array.from(
      { length: Math.max(0, Number(to) - Number(from) + 1) },
      (_, at) => `${area}-${String(Number(from) + at)}`,
    ),
  );
  const single = [...text.replace(span, "").matchAll(/\b[A-Z]{2}-\d+\b/g)].map(([id]) => id);
  return [...ranges.filter((id) => defined.has(id)), ...single];
}

const cited = new Map<string, string>();
for (const folder of ["src", "test", "tools", "scripts"]) {
  for (const path of filesBelow(folder, /\.(?:ts|mjs|sh)$/)) {
    if (path.includes("test/architecture/") || path.endsWith(".wasm.ts")) continue;
    for (const id of idsOf(readFileSync(join(repository, path), "utf8"))) cited.set(id, path);
  }
}

describe("rules of docs/spec", () => {
  it("have one definition each", () => {
    expect(duplicates).toEqual([]);
  });

  it("are defined where code or a test cites them", () => {
    const unknown = [...cited].filter(([id]) => !defined.has(id)).map(([id, path]) => `${id} in ${path}`);
    expect(unknown, "write the rule in docs/spec, or mend the citation").toEqual([]);
  });

  it("are cited by code or a test, but for the listed ones", () => {
    const listed = new Set(uncitedRules);
    const missing = [...defined.keys()].filter((id) => !cited.has(id) && !listed.has(id)).join(" ");
    expect(missing, "cite the rule in the test that holds it").toBe("");
  });

  it("leave the list of uncited ones as soon as something cites them", () => {
    expect(uncitedRules.filter((id) => cited.has(id) || !defined.has(id))).toEqual([]);
  });
});
