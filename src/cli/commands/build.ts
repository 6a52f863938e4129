import { parseNamedContext, runBuild } from "../../app/index.js";
import type { BuildReport } from "../../app/index.js";
import { BuildProgress } from "../build-progress.js";
import { FetchProgress } from "../fetch-progress.js";
import type { CommandContext, CommonOptions } from "../context.js";
import { thisMachine } from "../machine.js";
import { secondsText, sizeText, table } from "../numbers.js";
import { resolvePath } from "../paths.js";
import { parseSecrets } from "../secrets.js";

interface BuildOptions extends CommonOptions {
  readonly output?: string;
  readonly distfiles?: string;
  readonly jobs?: number;
  readonly platform?: string;
  readonly cache: boolean;
  readonly secret: readonly string[];
  readonly buildContext: readonly string[];
}

export async function run(words: readonly string[], options: BuildOptions, context: CommandContext): Promise<number> {
  const { terminal, abort } = context;
  const machine = thisMachine(terminal);
  const progress = new BuildProgress(terminal);
  const fetching = new FetchProgress(terminal);
  const { report, status } = await runBuild(
    {
      ...{ tree: options.tree, store: options.store, words, abort },
      ...{ jobs: options.jobs, platform: options.platform, distfiles: options.distfiles },
      output: resolvePath(machine.currentFolder, options.output ?? `${options.tree}/out`),
      noCache: !options.cache,
      secrets: parseSecrets(options.secret, machine.currentFolder),
      contexts: options.buildContext.map((value) =>
        parseNamedContext(value, (path) => resolvePath(machine.currentFolder, path)),
      ),
      onEvent: (event) => {
        progress.take(event);
      },
      onProgress: (event) => {
        fetching.take(event);
      },
    },
    machine,
  ).finally(() => {
    progress.close();
  });
  if (options.json === true) terminal.printJson(report);
  else terminal.print(renderBuildReport(report));
  return status;
}

function renderBuildReport(report: BuildReport): string {
  const rows = report.targets.map((target) => [
    target.id,
    target.state,
    target.digest ?? "-",
    target.size === null ? "-" : sizeText(target.size),
    target.state === "built" ? secondsText(target.seconds) : "-",
  ]);
  const working = report.targets.filter((target) => !target.cached).length;
  const last = working === 0 ? `nothing to do: all ${String(report.targets.length)} targets are built` : "";
  const header = ["target", "state", "digest", "size", "time"];
  return [table([header, ...rows], new Set([3, 4])), last].filter((part) => part !== "").join("\n");
}
