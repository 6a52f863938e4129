import { expect, test } from "vitest";

import { checkTreeConfig, defaultTreeConfig } from "./tree-config.js";

const whole = `prefix = "example.org:5000/team"
[network]
allow = ["user-a", "core-b"]
[apt]
suites = ["bookworm", "bookworm-updates"]
[[check.ignore]]
rule = "one-mirror"
reason = "upstream has one"
packages = ["user-a"]
[[check.ignore]]
rule = "http-only"
reason = "the hash is enough"
`;

test("TR-40: every setting", () => {
  expect(checkTreeConfig(Buffer.from(whole))).toEqual({
    problems: [],
    config: {
      prefix: "example.org:5000/team",
      networkAllow: ["user-a", "core-b"],
      aptSuites: ["bookworm", "bookworm-updates"],
      ignoredRules: [
        { rule: "one-mirror", reason: "upstream has one", packages: ["user-a"], line: 6 },
        { rule: "http-only", reason: "the hash is enough", packages: undefined, line: 10 },
      ],
    },
  });
});

test("TR-40: an empty file has the defaults", () => {
  expect(checkTreeConfig(Buffer.from(""))).toEqual({ config: defaultTreeConfig, problems: [] });
});

test.each<[string, string, number]>([
  ['prefx = "a"\n', "unknown-key", 1],
  ["\n[quorum]\n", "unknown-key", 2],
  ['[network]\nalow = ["core-a"]\n', "unknown-key", 2],
  ['prefix = "UPPER"\n', "bad-prefix", 1],
  ['prefix = "a/"\n', "bad-prefix", 1],
  ["prefix = 1\n", "wrong-kind", 1],
  ['[network]\nallow = [\n"core-a",\n"*"]\n', "bad-target", 4],
  ['[network]\nallow = "core-a"\n', "wrong-kind", 2],
  ['[[check.ignore]]\nrule = "a"\n', "missing-reason", 1],
  ['[[check.ignore]]\nrule = "a"\nreason = " "\n', "missing-reason", 1],
  ['[check.ignore]\nrule = "a"\n', "wrong-kind", 1],
  ['[apt]\nsuites = ["a; rm"]\n', "bad-suite", 2],
  ["[network\n", "bad-toml", 1],
])("TR-41: %j is %s in line %i", (text, rule, line) => {
  expect(checkTreeConfig(Buffer.from(text)).problems).toMatchObject([{ rule, line, file: "stagewright.toml" }]);
});
