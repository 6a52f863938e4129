import { runFetchCommand } from "../../app/index.js";
import { FetchProgress } from "../fetch-progress.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { shown } from "../terminal.js";

interface FetchOptions extends CommonOptions {
  readonly distfiles?: string;
  readonly jobs?: number;
}

export async function run(words: readonly string[], options: FetchOptions, context: CommandContext): Promise<number> {
  const { terminal, abort } = context;
  const progress = new FetchProgress(terminal);
  const { report, status } = await runFetchCommand(
    {
      ...{ tree: options.tree, store: options.store, words, abort },
      distfiles: options.distfiles,
      jobs: options.jobs,
      onProgress: (event) => {
        progress.take(event);
      },
    },
    thisMachine(terminal),
  );
  terminal.erase();
  if (options.json === true) terminal.printJson(report);
  else {
    const had = report.sources.filter((source) => source.size !== null);
    const bytes = had.reduce((sum, source) => sum + (source.size ?? 0), 0);
    terminal.print(`${String(had.length)} of ${String(report.sources.length)} sources, ${String(bytes)} bytes`);
    for (const reason of report.reasons ?? []) terminal.note(`${terminal.paint("red", "error")}: ${shown(reason)}`);
  }
  return status;
}
