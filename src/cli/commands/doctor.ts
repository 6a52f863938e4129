import { doctorStatus, renderDoctor, runDoctor } from "../../app/index.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { shown } from "../terminal.js";

export async function run(_words: readonly string[], options: CommonOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const machine = thisMachine(terminal);
  const report = await runDoctor({ store: options.store }, machine);
  if (options.json === true) terminal.printJson(report);
  else terminal.print(shown(renderDoctor(report, machine.uid).join("\n")));
  return doctorStatus(report);
}
