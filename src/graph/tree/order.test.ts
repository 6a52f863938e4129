import fc from "fast-check";
import { expect, test } from "vitest";

import { closureOf, longestPath, orderOf, type Edges } from "./order.js";

function graph(text: Readonly<Record<string, string>>): Edges {
  return new Map(Object.entries(text).map(([name, needs]) => [name, needs.split(" ").filter(Boolean)]));
}

test("TR-59: the order is by waves, each sorted", () => {
  const edges = graph({ d: "b c", c: "a", b: "a", a: "", z: "", aa: "z" });
  expect(orderOf(edges)).toEqual({ order: ["a", "z", "aa", "b", "c", "d"], cycles: [] });
});

test("TR-59: the longest path, of equals the first by bytes", () => {
  const edges = graph({ a: "", b: "a", c: "a", e: "c", d: "b" });
  expect(longestPath(edges, orderOf(edges).order)).toEqual(["a", "b", "d"]);
  expect(longestPath(new Map(), [])).toEqual([]);
});

test("TR-57: one shortest cycle for each knot, and the rest in order", () => {
  const edges = graph({ a: "b", b: "c d", c: "a", d: "a b", x: "y", y: "x ok", ok: "", top: "x" });
  expect(orderOf(edges)).toEqual({
    order: ["ok"],
    cycles: [
      ["a", "b", "c", "a"],
      ["x", "y", "x"],
    ],
  });
});

test("a closure has each name once", () => {
  expect([...closureOf(graph({ a: "b c", b: "c", c: "", d: "a" }), ["a"])].sort()).toEqual(["a", "b", "c"]);
});

test("a path of 20,000 names, and a cycle of as many, neither recurse nor take long", () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `n${String(index).padStart(5, "0")}`);
  const path = new Map(names.map((name, index) => [name, index === 0 ? [] : [names[index - 1] ?? ""]]));
  expect(longestPath(path, orderOf(path).order)).toHaveLength(20_000);
  const round = new Map([...path, [names[0] ?? "", [names.at(-1) ?? ""]] as const]);
  expect(orderOf(round).cycles[0]).toHaveLength(20_001);
});

test("every name is in the order after what it needs, or in or above a cycle", () => {
  const edge = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 }));
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 24 }), (pairs) => {
      const needs = Array.from({ length: 12 }, () => new Set<string>());
      for (const [from, to] of pairs) needs[from]?.add(String(to));
      const edges = new Map(needs.map((set, name) => [String(name), [...set]]));
      const { order, cycles } = orderOf(edges);
      const at = new Map(order.map((name, index) => [name, index]));
      for (const name of order) {
        for (const need of edges.get(name) ?? []) expect(at.get(need)).toBeLessThan(at.get(name) ?? -1);
      }
      for (const cycle of cycles) {
        expect(cycle[0]).toBe(cycle.at(-1));
        for (const [index, name] of cycle.slice(1).entries()) expect(edges.get(cycle[index] ?? "")).toContain(name);
      }
      expect(order.length < 12).toBe(cycles.length > 0);
    }),
  );
});
