/** The table of the bench, and its JSON. */
import { benchGzip } from "../bench-gzip.js";
import type { Case } from "./cases.js";
import type { Comparison } from "./measure.js";

const memoryBar = 300e6;
/** Least of the Go compressor's speed that ours has to reach. */
const gzipBar = 0.8;

/** One line of the table. Times are seconds, memory is bytes. */
export interface Row {
  readonly case: string;
  readonly against: string;
  readonly ours: string;
  readonly peer: string;
  readonly ratio: number;
  readonly bar: string;
  readonly passed: boolean;
  readonly memory: number | null;
  readonly seconds?: { readonly ours: readonly number[]; readonly peer: readonly number[] };
}

export function rowOf(made: Case, result: Comparison): Row {
  const { ours, peer, ratio, memory } = result;
  const { kind, most } = made.bar;
  const fast = kind === "ratio" ? ratio <= most : ours.median <= most;
  return {
    case: made.name,
    against: made.against,
    ours: timeText(ours),
    peer: timeText(peer),
    ratio,
    bar: kind === "ratio" ? most.toFixed(2) : `${most.toFixed(2)} s`,
    passed: fast && memory <= memoryBar,
    memory,
    seconds: { ours: ours.seconds, peer: peer.seconds },
  };
}

function timeText({ median, least, most }: Comparison["ours"]): string {
  return `${median.toFixed(3)} (${least.toFixed(3)}..${most.toFixed(3)})`;
}

/** Rates in megabytes a second; the ratio is ours over Go's, so that more is better. Undefined without Go. */
export function gzipRows(): readonly Row[] | undefined {
  return benchGzip()?.map(({ input, ours, go, ratio }) => ({
    case: `gzip of ${input}`,
    against: "Go's compress/gzip, one core",
    ours: `${ours.toFixed(1)} MB/s`,
    peer: `${go.toFixed(1)} MB/s`,
    ratio,
    bar: `at least ${String(gzipBar)}`,
    passed: ratio >= gzipBar,
    memory: null,
  }));
}

const header = ["case", "against", "ours, s", "peer, s", "ratio", "bar", "memory", "verdict"];

/** A table of Markdown, as it stands in the README. */
export function renderTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.case,
    row.against,
    row.ours,
    row.peer,
    row.ratio.toFixed(2),
    row.bar,
    row.memory === null ? "-" : `${(row.memory / 1e6).toFixed(0)} MB`,
    row.passed ? "ok" : "MISSED",
  ]);
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" | ")} |\n`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(header), rule, ...lines.map(line)].join("");
}
