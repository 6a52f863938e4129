import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { renderGoJson } from "./go-json.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

describe("renderGoJson (IM-10)", () => {
  // Known answers of Go 1.24's json.Marshal; the first is the label of the known answer `platforms`.
  it.each([
    ["bs\bff\fdel\x7fesc\x1b", '"bs\\bff\\fdel\x7fesc\\u001b"'],
    ["<a> & b", '"\\u003ca\\u003e \\u0026 b"'],
    ["a\u2028b\u2029c", '"a\\u2028b\\u2029c"'],
    ['tab\tq"uote\\\r\n', '"tab\\tq\\"uote\\\\\\r\\n"'],
    ["é😀/\u0000", '"é😀/\\u0000"'],
    ["lone \ud800 and \udc00", '"lone \ufffd and \ufffd"'],
  ])("%j", (value, expected) => {
    expect(text(renderGoJson(value))).toBe(expected);
  });

  it("keeps the order of a map, whose names may look like numbers", () => {
    const map = new Map([
      ["10", "x"],
      ["9", "y"],
    ]);
    expect(text(renderGoJson(map))).toBe('{"10":"x","9":"y"}');
  });

  it("indents as MarshalIndent does, with empty lists and objects on one line", () => {
    const value = { a: [], b: {}, c: [1, { d: null }], e: undefined };
    expect(text(renderGoJson(value, "  "))).toBe(
      '{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": null\n    }\n  ]\n}',
    );
  });

  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }), fc.constantFrom("", "  "), (value, indent) => {
        const integers = JSON.parse(
          JSON.stringify(value, (_key, item: unknown) => (typeof item === "number" ? Math.trunc(item) || 0 : item)),
        ) as never;
        expect(JSON.parse(text(renderGoJson(integers, indent)))).toEqual(integers);
      }),
    );
  });
});
