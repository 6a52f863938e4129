import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { toByteString } from "../../base/index.js";
import { matchPath } from "./match-path.js";

/** Go's documented examples and edges of `filepath.Match`; `undefined` where it gives ErrBadPattern. */
const table: readonly (readonly [string, string, boolean | undefined])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*", "", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["[a-ζ]*", "α", true],
  ["*[a-ζ]", "A", false],
  ["a?b", "a/b", false],
  ["a*b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[^a]", "/", true],
  ["", "", true],
  ["", "a", false],
  ["[]a]", "]", undefined],
  ["[-]", "-", undefined],
  ["[x-]", "x", undefined],
  ["[-x]", "x", undefined],
  ["\\", "a", undefined],
  ["[a-b-c]", "a", undefined],
  ["[", "a", undefined],
  ["[^", "a", undefined],
  ["[^bc", "a", undefined],
  ["a[", "a", undefined],
  ["a[", "ab", undefined],
  ["*x", "xxx", true],
];

describe("matchPath (CF-90)", () => {
  it.each(table)("%s on %s", (pattern, name, expected) => {
    const match = (): boolean => matchPath(pattern, toByteString(name));
    if (expected === undefined) expect(match).toThrow(expect.objectContaining({ code: "bad-pattern" }));
    else expect(match()).toBe(expected);
  });

  it("takes a byte that is no UTF-8 as one character", () => {
    expect(matchPath("a?b", "a\xffb")).toBe(true);
    expect(matchPath("a??b", "a\xe2\x82b")).toBe(true);
    expect(matchPath("a[^x]é", `a\x80${toByteString("é")}`)).toBe(true);
    expect(matchPath("a?b", "a\xe2\x82b")).toBe(false);
  });

  it("agrees with a plain recursive reading", () => {
    const reading = (pattern: string, name: string): boolean => {
      if (pattern === "") return name === "";
      if (pattern.startsWith("*")) {
        return (
          reading(pattern.slice(1), name) || (name !== "" && !name.startsWith("/") && reading(pattern, name.slice(1)))
        );
      }
      if (name === "" || (pattern.startsWith("?") ? name.startsWith("/") : pattern[0] !== name[0])) return false;
      return reading(pattern.slice(1), name.slice(1));
    };
    const text = (of: string): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...of), maxLength: 8 });
    fc.assert(
      fc.property(text("ab/*?"), text("ab/"), (pattern, name) => {
        expect(matchPath(pattern, name)).toBe(reading(pattern, name));
      }),
      { numRuns: 1000 },
    );
  });
});
