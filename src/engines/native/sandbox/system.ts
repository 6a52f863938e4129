/** Programs that the sandbox needs, run with an empty environment of our own. */
import type { Processes, ProcessResult } from "../../../base/index.js";
import { unavailable } from "../../../base/index.js";
import { diskFull } from "../store/store.js";

/** Nothing of the caller's environment reaches a tool. */
export const toolEnvironment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC0" } as const;

/** @throws unavailable `tool-failed` when the program ends with another status than 0. */
export async function runTool(
  processes: Processes,
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<ProcessResult> {
  const result = await processes.run(program, args, { env: toolEnvironment, ...options });
  if (result.status === 0) return result;
  const said = result.stderr.toString("utf8").trim().slice(0, 2000);
  if (said.includes("No space left on device")) throw diskFull(options.cwd ?? program, new Error(said));
  throw unavailable({
    code: "tool-failed",
    message: `${program} ended with ${result.signal ?? `status ${String(result.status)}`}: ${said}`,
    subject: [program, ...args].join(" ").slice(0, 500),
    hint: "`stagewright doctor` shows what the sandbox needs and what works here",
  });
}
