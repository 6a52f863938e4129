import fc from "fast-check";
import { expect, test } from "vitest";

import { scanTomlLines } from "./toml-lines.js";

const text = `# head
title = "a = [1" # tail
"quoted \\"key\\"" = 1

[package]
name = 'x # no comment'
long = """
one [not.a.table]
\\
"""""
list = [ "a", # first
  "b",
  [ "c",
    "d" ], ]
inline = { a = 1, b.c = "}" }

[sources."dot.ted"]
mirrors = ["u"]
[[check.ignore]]
rule = "a"

[[check.ignore]]
rule = "b"
`;

test.each<[readonly string[], number]>([
  [["title"], 2],
  [['quoted "key"'], 3],
  [["package"], 5],
  [["package", "name"], 6],
  [["package", "long"], 7],
  [["package", "list"], 11],
  [["package", "list", "1"], 12],
  [["package", "list", "2", "1"], 14],
  [["package", "inline", "b", "c"], 15],
  [["sources", "dot.ted", "mirrors", "0"], 18],
  [["check", "ignore", "1"], 22],
  [["check", "ignore", "1", "rule"], 23],
  [["package", "missing"], 5],
  [["missing"], 1],
])("the line of %j is %i", (path, line) => {
  expect(scanTomlLines(text).lineOf(path)).toBe(line);
});

test("CRLF line ends count once", () => {
  expect(scanTomlLines("a = 1\r\n\r\nb = 2\r\n").lineOf(["b"])).toBe(3);
});

test("never throws or hangs, whatever the text", () => {
  const piece = fc.constantFrom("[", "]", "{", "}", '"', "'", '"""', "\\", "\n", "=", ",", ".", "a", "#", " ");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      expect(scanTomlLines(pieces.join("")).lineOf(["a"])).toBeGreaterThanOrEqual(1);
    }),
  );
});
