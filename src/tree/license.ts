import parseExpression from "spdx-expression-parse";

import { quoted } from "./problem.js";

/** What a check of a license expression found. */
export type LicenseCheck =
  | { readonly kind: "valid" }
  | { readonly kind: "deprecated"; readonly ids: readonly string[] }
  | { readonly kind: "malformed"; readonly reason: string };

const longestExpression = 2048;
const deepestExpression = 64;

// Ids that the SPDX license list marks as deprecated (release 3.27), which the library takes without a word.
const deprecatedIds: ReadonlySet<string> = new Set(
  (
    "AGPL-1.0 AGPL-3.0 BSD-2-Clause-FreeBSD BSD-2-Clause-NetBSD GFDL-1.1 GFDL-1.2 GFDL-1.3 GPL-1.0 GPL-2.0 " +
    "GPL-2.0-with-GCC-exception GPL-2.0-with-autoconf-exception GPL-2.0-with-bison-exception " +
    "GPL-2.0-with-classpath-exception GPL-2.0-with-font-exception GPL-3.0 GPL-3.0-with-GCC-exception " +
    "GPL-3.0-with-autoconf-exception LGPL-2.0 LGPL-2.1 LGPL-3.0 Net-SNMP Nunit StandardML-NJ bzip2-1.0.5 eCos-2.0 wxWindows"
  ).split(" "),
);

/** Answers for expressions that were seen before; a tree repeats a few hundred times. */
export type LicenseMemo = Map<string, LicenseCheck>;

/** Checks a license against the SPDX license expression grammar and list. Never throws. */
export function checkLicense(expression: string, memo?: LicenseMemo): LicenseCheck {
  const known = memo?.get(expression);
  if (known !== undefined) return known;
  const check = checkExpression(expression);
  memo?.set(expression, check);
  return check;
}

function checkExpression(expression: string): LicenseCheck {
  // The library scans by cutting its input at each token and recurses on parentheses: both are bounded first.
  if (expression.length > longestExpression) return { kind: "malformed", reason: "longer than 2048 characters" };
  if (nesting(expression) > deepestExpression) return { kind: "malformed", reason: "parentheses nested too deep" };
  try {
    parseExpression(expression);
  } catch (thrown) {
    return { kind: "malformed", reason: reasonOf(thrown, expression) };
  }
  const ids = (expression.match(/[A-Za-z0-9.-]+/g) ?? []).filter((id) => deprecatedIds.has(id));
  return ids.length === 0 ? { kind: "valid" } : { kind: "deprecated", ids };
}

/** The library's reason, with the word at the place that it names. */
function reasonOf(thrown: unknown, expression: string): string {
  const message = thrown instanceof Error ? thrown.message : "";
  const offset = /at offset ([0-9]+)$/.exec(message)?.[1];
  const word = offset === undefined ? undefined : /^[^\s()]+/.exec(expression.slice(Number(offset)))?.[0];
  if (word !== undefined) return `${quoted(word)} is no license or exception of the SPDX list`;
  return message === "" ? "the expression ends too soon" : message;
}

function nesting(expression: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of expression) {
    if (character === "(") deepest = Math.max(deepest, ++depth);
    else if (character === ")") depth--;
  }
  return deepest;
}
