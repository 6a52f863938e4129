import { renderGraphDot, renderGraphTable, renderGraphTree, runGraph } from "../../app/index.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { shown } from "../terminal.js";

interface GraphOptions extends CommonOptions {
  readonly dot?: boolean;
  readonly table?: boolean;
}

export async function run(words: readonly string[], options: GraphOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const request = { tree: options.tree, store: options.store, words };
  const { report, status } = runGraph(request, thisMachine(terminal));
  if (options.json === true) terminal.printJson(report);
  else if (options.dot === true) terminal.print(renderGraphDot(report));
  else terminal.print(shown(options.table === true ? renderGraphTable(report) : renderGraphTree(report)));
  return await Promise.resolve(status);
}
