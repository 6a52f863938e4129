import { digestsStatus, openTree, runDigests } from "../../app/index.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { table } from "../numbers.js";
import { resolvePath } from "../paths.js";
import { shown } from "../terminal.js";

interface DigestsOptions extends CommonOptions {
  readonly output?: string;
  readonly write?: boolean;
  readonly verify?: boolean;
}

export async function run(words: readonly string[], options: DigestsOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const machine = thisMachine(terminal);
  const tree = openTree({ tree: options.tree, store: options.store }, machine);
  const mode = options.write === true ? "write" : options.verify === true ? "verify" : "show";
  const outputFolder = resolvePath(machine.currentFolder, options.output ?? `${options.tree}/out`);
  const report = runDigests({ tree, words, outputFolder, mode }, machine.files);
  if (options.json === true) terminal.printJson(report);
  else {
    const rows = report.targets.map(({ id, digest, verdict }) => [id, digest ?? "-", verdict]);
    terminal.print(table(rows));
    for (const reason of report.reasons ?? []) terminal.note(`${terminal.paint("red", "error")}: ${shown(reason)}`);
  }
  return await Promise.resolve(digestsStatus(report, mode));
}
