/** The use case of `doctor`: what this machine has, what works here, and the command that mends what does not. */
import { StagewrightError, messageOf } from "../base/index.js";
import { openStore } from "../engines/index.js";
import type { Store } from "../engines/index.js";
import { ownIdentity } from "../sources/index.js";
import type { DoctorCheck } from "./doctor-check.js";
import { asRoot, lacking, working } from "./doctor-check.js";
import { checkKernel } from "./doctor-kernel.js";
import { checkTools } from "./doctor-tools.js";
import { runTrials } from "./doctor-trials.js";
import type { ReportTool } from "./fetch-report.js";
import type { Machine } from "./machine.js";
import { defaultStore } from "./machine.js";
import { thisTool } from "./this-tool.js";

export interface DoctorReport {
  readonly tool: ReportTool;
  /** Whether builds work here for this user. */
  readonly works: boolean;
  readonly checks: readonly DoctorCheck[];
  /** One for each required thing that is missing or broken. */
  readonly reasons?: readonly string[];
}

/** A build of a large tree's first targets fits; less is a fault that shows only after hours. */
const leastFree = 2 * 2 ** 30;

/**
 * Looks and tries. The store is made when it is not there, and what the trials put into it is removed.
 * @param options.store folder of the store, in place of the user's own
 */
export async function runDoctor(
  options: { readonly store: string | undefined },
  machine: Machine,
): Promise<DoctorReport> {
  const [kernel, tools] = await Promise.all([checkKernel(machine), checkTools(machine)]);
  const place = await checkStore(options.store ?? defaultStore(machine), machine);
  const checks = [...kernel, ...tools, ...place];
  const faults = checks.filter((check) => check.required && (check.state === "missing" || check.state === "broken"));
  const report = { tool: thisTool, works: faults.length === 0, checks };
  if (faults.length === 0) return report;
  return { ...report, reasons: faults.map((check) => `${check.title}: ${check.state}: ${check.found}`) };
}

/** 0 when builds work here, 3 when something that they need is not there. */
export function doctorStatus(report: DoctorReport): 0 | 3 {
  return report.works ? 0 : 3;
}

async function checkStore(folder: string, machine: Machine): Promise<readonly DoctorCheck[]> {
  const subject = { id: "store", title: "store", neededFor: "everything that is built" };
  let store: Store;
  try {
    store = openStore(folder, { ...machine, owner: `${ownIdentity(machine.files)}.doctor` });
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    const place = thrown.subject === undefined || thrown.subject === folder ? "" : `${thrown.subject}: `;
    const found = `${folder}: ${place}${messageOf(thrown)}`;
    const hint = thrown.hint ?? "give a folder of your own with --store";
    return [lacking(subject, { state: "broken", found, hint })];
  }
  const own = store.temporaryFolder();
  try {
    const trials = await runTrials(machine, store);
    return [working(subject, `${store.root}, private`), checkSpace(store, machine), ...trials];
  } finally {
    machine.files.rmSync(own, { recursive: true, force: true });
  }
}

function checkSpace(store: Store, machine: Machine): DoctorCheck {
  const subject = { id: "space", title: "free space of the store", neededFor: "layers and sources" };
  const { bavail, bsize } = machine.files.statfsSync(store.root);
  const free = bavail * bsize;
  const found = `${(free / 2 ** 30).toFixed(1)} GiB`;
  if (free >= leastFree) return working(subject, found);
  const hint = "stagewright gc, or a store on a larger disk with --store";
  return lacking(subject, { state: "broken", found, hint, required: false });
}

const marks = { ok: "ok", missing: "MISSING", broken: "BROKEN", info: "" } as const;

/** The report for people: one line a check, a second one with the command that mends it, and the sum at the end. */
export function renderDoctor(report: DoctorReport, uid: number): readonly string[] {
  const titleWidth = Math.max(...report.checks.map((check) => check.title.length));
  const lines = report.checks.flatMap((check) => {
    const head = `${marks[check.state].padEnd(8)}${check.title.padEnd(titleWidth)}  ${check.found.replaceAll("\n", "; ")}`;
    const bad = check.state === "missing" || check.state === "broken";
    const purpose = bad ? [`${" ".repeat(8)}needed for ${check.neededFor}`] : [];
    return [head, ...purpose, ...(bad && check.hint !== null ? [`${" ".repeat(8)}mend it: ${check.hint}`] : [])];
  });
  return [...lines, "", ...summary(report, uid)];
}

function summary(report: DoctorReport, uid: number): readonly string[] {
  const who = uid === 0 ? "as root" : "without root";
  if (report.works) return [`Builds work here ${who}.`];
  const commands = report.checks
    .filter((check) => check.required && check.state === "missing")
    .flatMap((check) => /apt-get install --no-install-recommends (\S+)$/.exec(check.hint ?? "")?.[1] ?? []);
  const packages = [...new Set(commands)];
  const all = asRoot(uid, `apt-get install --no-install-recommends ${packages.join(" ")}`);
  const count = String(report.reasons?.length ?? 0);
  return [
    `Builds do not work here ${who}: ${count} thing(s) that they need are missing or broken.`,
    ...(packages.length === 0 ? [] : [`All missing programs at once: ${all}`]),
  ];
}
