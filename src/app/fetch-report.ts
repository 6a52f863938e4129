import { compareText, type ErrorKind, type StagewrightError } from "../base/index.js";
import type { SourceOutcome } from "../sources/index.js";
import type { UnusableSource } from "./fetch-requests.js";

/** The program that made a report. */
export interface ReportTool {
  readonly name: string;
  readonly version: string;
}

/** One source. `size` and `mirror` are null where there is none: no bytes, or no mirror asked. */
export interface ReportedSource {
  /** The package's folder. */
  readonly package: string;
  readonly name: string;
  readonly sha256: string;
  readonly size: number | null;
  readonly mirror: string | null;
  /** `stored`: it was there; `distfiles`, `downloaded`: it came now; the others are failures. */
  readonly state: "stored" | "distfiles" | "downloaded" | "malformed" | "rejected" | "unavailable";
  /** Why each mirror failed; only on a source that was not had. */
  readonly failures?: readonly {
    readonly mirror: string;
    readonly verdict: "wrong" | "none";
    readonly reason: string;
  }[];
}

/** What `fetch --json` prints. */
export interface FetchReport {
  readonly tool: ReportTool;
  /** `done`, or the gravest kind of failure: malformed over rejected over unavailable (exit 0, 2, 1, 3). */
  readonly outcome: "done" | "malformed" | "rejected" | "unavailable";
  /** Sorted by package, then name. */
  readonly sources: readonly ReportedSource[];
  /** One for each source that was not had. */
  readonly reasons?: readonly string[];
}

/** Joins what became of every source. */
export function makeFetchReport(
  tool: ReportTool,
  outcomes: readonly SourceOutcome[],
  unusable: readonly UnusableSource[],
): FetchReport {
  const sources = [...outcomes.map(reportOutcome), ...unusable.map(reportUnusable)].sort(
    (a, b) => compareText(a.package, b.package) || compareText(a.name, b.name),
  );
  const errors = [...unusable, ...outcomes.filter((outcome) => outcome.kind === "failed")].map(({ error }) => error);
  const outcome = gravest(errors);
  if (outcome === undefined) return { tool, outcome: "done", sources };
  const reasons = errors.map(({ subject, message }) => (subject === undefined ? message : `${subject}: ${message}`));
  return { tool, outcome, sources, reasons };
}

function gravest(errors: readonly StagewrightError[]): "malformed" | "rejected" | "unavailable" | undefined {
  const kinds = errors.map(({ kind }) => stateOf(kind));
  return (["malformed", "rejected", "unavailable"] as const).find((kind) => kinds.includes(kind));
}

function stateOf(kind: ErrorKind): "malformed" | "rejected" | "unavailable" {
  return kind === "untrusted" ? "rejected" : kind;
}

function reportOutcome(outcome: SourceOutcome): ReportedSource {
  const { package: pkg, name, sha256 } = outcome.request;
  const common = { package: pkg, name, sha256 };
  if (outcome.kind === "failed") {
    return { ...common, size: null, mirror: null, state: stateOf(outcome.error.kind), failures: outcome.failures };
  }
  return { ...common, size: outcome.size, mirror: outcome.mirror ?? null, state: outcome.state };
}

function reportUnusable({ package: pkg, name, sha256 }: UnusableSource): ReportedSource {
  return { package: pkg, name, sha256, size: null, mirror: null, state: "malformed" };
}
