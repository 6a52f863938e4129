import { expect, test } from "vitest";

import { parseSecrets } from "./secrets.js";

test("secrets are files by id, relative to the folder", () => {
  const values = ["id=a,src=key", "src=/etc/b=c,id=__proto__,type=file", "id=d,source=../e"];
  const secrets = parseSecrets(values, "/home/x");
  expect(Object.entries(secrets)).toEqual([
    ["a", "/home/x/key"],
    ["__proto__", "/etc/b=c"],
    ["d", "/home/e"],
  ]);
});

test.each([
  [["bad"], /"bad" is none of/],
  [["id=a"], /no file/],
  [["src=b"], /no id/],
  [["id=,src=b"], /no id/],
  [["id=a,src="], /no file/],
  [["id=a,src=/etc/b,c"], /"c" is none of/],
  [["id=a,src=b,env=C"], /"env=C" is none of/],
  [["id=a,src=b,source=c"], /src stands in it twice/],
  [["id=a,src=b,type=env"], /only files/],
  [["id=a,src=b", "id=a,src=c"], /two secrets/],
])("%j is refused", (values, message) => {
  expect(() => parseSecrets(values, "/")).toThrow(
    expect.objectContaining({ kind: "malformed", code: "bad-secret", subject: "--secret" }),
  );
  expect(() => parseSecrets(values, "/")).toThrow(message);
});
