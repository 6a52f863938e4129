/** The use case of `graph` on this machine. */
import type { GraphReport } from "./graph-report.js";
import { graphReport, graphStatus } from "./graph-report.js";
import type { Machine } from "./machine.js";
import { thisTool } from "./this-tool.js";
import type { ExitStatus, TreeOptions } from "./tree-options.js";
import { openTree } from "./tree-options.js";

export function runGraph(
  options: TreeOptions & { readonly words: readonly string[] },
  machine: Machine,
): { readonly report: GraphReport; readonly status: ExitStatus } {
  const report = graphReport(openTree(options, machine), options.words, thisTool);
  return { report, status: graphStatus(report) };
}
