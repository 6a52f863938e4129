import { runGarbage } from "../../app/index.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { sizeText } from "../numbers.js";

interface GarbageOptions extends CommonOptions {
  readonly days: number;
  readonly all?: boolean;
}

export async function run(
  _words: readonly string[],
  options: GarbageOptions,
  context: CommandContext,
): Promise<number> {
  const { terminal } = context;
  const days = options.all === true ? 0 : options.days;
  const report = await runGarbage({ store: options.store, days }, thisMachine(terminal));
  if (options.json === true) terminal.printJson(report);
  else terminal.print(`removed ${String(report.removed)} entries, ${sizeText(report.bytes)}`);
  return 0;
}
