/** The bench: makes its inputs, runs its cases, prints the table and writes it as JSON. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { buildCases, computeCases, graphCases, type Case, type CaseInput } from "./cases.js";
import { makeLargeTree, makeSmallTree, shellProgram } from "./inputs.js";
import { compare } from "./measure.js";
import { Peers } from "./peers.js";
import { gzipRows, renderTable, rowOf, type Row } from "./report.js";

const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** @returns the exit status: 0 when every bar was met, 1 when one was missed, 3 when a case could not be run. */
export async function main(repository: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = {
    runs: { type: "string", default: "5" },
    only: { type: "string" },
    keep: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const runs = Math.max(1, Number(values.runs));
  const { only } = values;
  const peers = Peers.start(repository, env);
  const work = mkdtempSync(join(typeof peers === "string" ? tmpdir() : peers.share, "bench-"));
  try {
    const input = makeInput(repository, work, typeof peers === "string" ? undefined : peers);
    const wanted = [...graphCases(input), ...buildCases(input), ...computeCases(input)].filter(
      ({ name }) => only === undefined || name.includes(only),
    );
    const rows = await runCases(wanted, runs);
    const gzip = only === undefined || "gzip".includes(only) ? gzipRows() : [];
    const all = [...rows, ...(gzip ?? [])];
    const unknown = missingCases(peers, gzip);
    const machine = machineText(peers);
    process.stdout.write(`${machine}\n\n${renderTable(all)}\n${unknown.join("")}`);
    const json = { machine, runs, rows: all, notRun: unknown };
    writeFileSync(join(repository, "bench.json"), `${JSON.stringify(json, undefined, 2)}\n`);
    if (all.length < wanted.length || unknown.length > 0) return 3;
    return all.every((row) => row.passed) ? 0 : 1;
  } finally {
    if (values.keep !== true) rmSync(work, { recursive: true, force: true });
  }
}

function makeInput(repository: string, work: string, peers: Peers | undefined): CaseInput {
  note("bench: making the input");
  const small = join(work, "small");
  mkdirSync(small);
  makeSmallTree(small);
  // A copy: somebody who builds the project meanwhile must not disturb.
  cpSync(join(repository, "dist"), join(work, "dist"), { recursive: true });
  const command = [process.execPath, join(work, "dist/cli/main.js")] as const;
  return { command, work, large: makeLargeTree(join(work, "large")), small, peers };
}

async function runCases(cases: readonly Case[], runs: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const made of cases) {
    note(`bench: ${made.name}, against ${made.against}`);
    try {
      const result = await compare(made.ours, made.peer, runs);
      await made.sameResult?.();
      rows.push(rowOf(made, result));
      note(renderTable(rows.slice(-1)).split("\n")[2] ?? "");
    } catch (thrown) {
      note(`bench: FAILED: ${made.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  return rows;
}

/** Says loudly what this machine could not be asked. */
function missingCases(peers: Peers | string, gzip: unknown): readonly string[] {
  return [
    ...(typeof peers === "string" ? [`NOT RUN: everything against buildx and buildah: ${peers}\n`] : []),
    ...(gzip === undefined ? ["NOT RUN: the compressor: no Go here (apt-get install golang-go)\n"] : []),
    ...(existsSync(shellProgram) ? [] : [`NOT RUN: the compute-bound RUN: no ${shellProgram} here\n`]),
  ];
}

function machineText(peers: Peers | string): string {
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = `${(totalmem() / 1e9).toFixed(0)} GB`;
  const versions = typeof peers === "string" ? "no peers" : peers.versions;
  return `${String(cpus().length)} x ${model}, ${memory}, Linux ${kernel}, Node ${process.versions.node}; ${versions}`;
}
