import { checkReport, checkStatus, openTree, renderCheck, thisTool } from "../../app/index.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { shown } from "../terminal.js";

export async function run(words: readonly string[], options: CommonOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const machine = thisMachine(terminal);
  const tree = openTree({ tree: options.tree, store: options.store }, machine);
  const report = checkReport(machine.files, tree, words, thisTool);
  if (options.json === true) terminal.printJson(report);
  else terminal.print(shown(renderCheck(report)));
  return await Promise.resolve(checkStatus(report));
}
