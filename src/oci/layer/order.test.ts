import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareLayerPaths, layerOrder } from "./order.js";

describe("compareLayerPaths (IM-20)", () => {
  it("walks by path component", () => {
    const expected = ["B.txt", "a", "a/x", "a-b", "a.txt"];
    expect([...expected].reverse().sort(compareLayerPaths)).toEqual(expected);
  });

  it("is the order of the lists of components", () => {
    const path = fc.array(fc.stringMatching(/^[ -.0-~]{1,3}$/), { minLength: 1, maxLength: 4 });
    const byComponents = (a: readonly string[], b: readonly string[]): number => {
      const at = a.findIndex((part, i) => part !== b[i]);
      if (at < 0) return a.length - b.length;
      const [left = "", right] = [a[at], b[at]];
      return right === undefined ? 1 : left < right ? -1 : 1;
    };
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(Math.sign(compareLayerPaths(a.join("/"), b.join("/")))).toBe(Math.sign(byComponents(a, b)));
      }),
    );
  });

  it("puts a whiteout where its name would stand", () => {
    const entries = [
      { type: "whiteout", path: "z" },
      { type: "whiteout", path: "a" },
    ] as const;
    expect(layerOrder(entries).map(({ path }) => path)).toEqual(["a", "z"]);
  });
});
