import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { folder } from "../../../../test/support/engine-tree.js";
import { hasWildcard, resolveWildcards } from "./wildcard.js";

const source = folder({
  "a.txt": "1",
  "b.txt": "2",
  "[x]": "3",
  "*": "4",
  ".hidden": "5",
  "\xc3\xa9": "6",
  d: { "a.txt": "7", e: { f: "8" } },
  l: "-> d",
});

describe("the sources that a wildcard means", () => {
  it.each([
    ["/*.txt", ["/a.txt", "/b.txt"]],
    ["/?.txt", ["/a.txt", "/b.txt"]],
    ["/[b-z].txt", ["/b.txt"]],
    ["/[^a].txt", ["/b.txt"]],
    ["/*/a.txt", ["/d/a.txt"]],
    ["/*/*/*", ["/d/e/f"]],
    ["/l/*.txt", ["/d/a.txt"]],
    ["/\\*", ["/\\*"]],
    ["/\\[x\\]*", ["/[x]"]],
    ["/no*", []],
    ["/no/*", []],
    ["/a.txt/*", []],
    ["/plain", ["/plain"]],
    ["/d/../*.txt", ["/a.txt", "/b.txt"]],
    ["/é*", ["/\xc3\xa9"]],
  ])("%s", (pattern, expected) => {
    expect(resolveWildcards(source, Buffer.from(pattern, "utf8").toString("latin1"))).toEqual(expected);
  });

  it.each(["/[", "/[a", "/[a-", "/[]", "/*\\"])("%s is refused, or means nothing", (pattern) => {
    try {
      expect(resolveWildcards(source, pattern)).toEqual([]);
    } catch (thrown) {
      expect(thrown).toMatchObject({ kind: expect.stringMatching(/malformed|rejected/) as string });
    }
  });

  it("takes time in proportion to a pattern full of stars", () => {
    const name = "a".repeat(200);
    const begun = performance.now();
    expect(resolveWildcards(folder({ [name]: "1" }), `/${"*a".repeat(100)}b`)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it("finds only what is there", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab.*?[]^-\\/td"), maxLength: 12 }), (text) => {
        const pattern = `/${text}`;
        try {
          const found = resolveWildcards(source, pattern);
          if (text.split("/").some(hasWildcard)) for (const path of found) expect(path).toMatch(/^\/[^/]/);
          else expect(found).toEqual([pattern]);
        } catch (thrown) {
          expect(thrown).toMatchObject({ kind: expect.stringMatching(/malformed|rejected/) as string });
        }
      }),
    );
  });
});
