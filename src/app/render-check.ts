import type { CheckReport } from "./check-report.js";
import { renderProblemText } from "./render-problem.js";

/** The findings as text, one after the other, and a line that counts them. */
export function renderCheck(report: CheckReport): string {
  const errors = report.findings.filter(({ severity }) => severity === "error").length;
  const warnings = report.findings.length - errors;
  const silenced = report.silenced.reduce((sum, { count }) => sum + count, 0);
  return [
    ...report.findings.map(renderProblemText),
    `${String(errors)} errors, ${String(warnings)} warnings, ${String(silenced)} silenced`,
    "",
  ].join("\n");
}
