import { renderProblemText } from "./render-problem.js";
import { topTargets, type GraphReport, type GraphReportTarget } from "./graph-report.js";

/** The report as text: a table for the whole tree, and a summary with the longest path and the problems. */
export function renderGraphTable(report: GraphReport): string {
  const rows = report.targets.map((target) => [
    target.id,
    target.version ?? "-",
    target.platforms.join(","),
    String(target.dependencies.length),
  ]);
  const table = renderColumns([["TARGET", "VERSION", "PLATFORMS", "NEEDS"], ...rows]);
  return [table, ...summaryLines(report)].join("\n") + "\n";
}

/**
 * The report as a tree of what each top target is built from. What was shown once is not opened again, and is marked
 * `(above)`, so that the text grows with the number of edges only.
 */
export function renderGraphTree(report: GraphReport): string {
  const byId = new Map(report.targets.map((target) => [target.id, target]));
  const shown = new Set<string>();
  const lines: string[] = [];
  // Branches that are too deep are put at the end and drawn from the left; a list may grow while it is walked.
  const tops = [...topTargets(report)];
  for (const top of tops) if (!shown.has(top)) drawTree(top, byId, shown, lines, tops);
  // What stands on a cycle has no top.
  for (const id of byId.keys()) if (!shown.has(id)) drawTree(id, byId, shown, lines, []);
  return [...lines, "", ...summaryLines(report)].join("\n") + "\n";
}

// Deeper branches are drawn again from the left: the text of a path of 20,000 targets stays in proportion.
const widestIndent = 120;

interface Branch {
  readonly id: string;
  readonly lead: string;
  readonly indent: string;
}

function drawTree(
  top: string,
  byId: ReadonlyMap<string, GraphReportTarget>,
  shown: Set<string>,
  lines: string[],
  later: string[],
): void {
  const stack: Branch[] = [{ id: top, lead: "", indent: "" }];
  for (let branch = stack.pop(); branch !== undefined; branch = stack.pop()) {
    const { id, lead, indent } = branch;
    const dependencies = byId.get(id)?.dependencies ?? [];
    const opens = dependencies.length > 0;
    const tooDeep = indent.length > widestIndent && opens && !shown.has(id);
    const mark = tooDeep ? " (below)" : opens && shown.has(id) ? " (above)" : "";
    lines.push(`${lead}${id}${mark}`);
    if (tooDeep) later.push(id);
    if (tooDeep || shown.has(id)) continue;
    shown.add(id);
    const children = dependencies.map((child, index) => {
      const last = index === dependencies.length - 1;
      return { id: child, lead: `${indent}${last ? "└─ " : "├─ "}`, indent: `${indent}${last ? "   " : "│  "}` };
    });
    stack.push(...children.reverse());
  }
}

function summaryLines(report: GraphReport): readonly string[] {
  const { targets, edges, versionEdges, longestPath } = report;
  return [
    "",
    `${String(targets.length)} targets, ${String(edges)} edges, ${String(versionEdges)} version edges`,
    `longest path (${String(longestPath.length)}): ${longestPath.join(" → ")}`,
    ...report.problems.map(renderProblemText),
  ];
}

/** Rows as columns, two blanks apart; the last column is not padded. */
export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
