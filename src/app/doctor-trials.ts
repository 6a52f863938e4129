/**
 * Trials: what works is found out by doing it. The namespaces and the overlay mount are tried apart, so that a failure
 * has a name; then the engine itself builds an image with a RUN, in a store of its own inside the given one.
 */
import { StagewrightError, messageOf } from "../base/index.js";
import { toolEnvironment } from "../engines/index.js";
import type { Store } from "../engines/index.js";
import { parsePlatform } from "../graph/index.js";
import { parseContainerfile } from "../tree/index.js";
import { planImage } from "./build-image.js";
import type { CheckSubject, DoctorCheck } from "./doctor-check.js";
import { asRoot, fact, lacking, working } from "./doctor-check.js";
import { readFact } from "./doctor-kernel.js";
import { exitProgram, programArchitectures } from "./doctor-program.js";
import type { OpenedEngine } from "./engine-factory.js";
import { engineSettings, inNamespaces, openNativeEngine } from "./engine-factory.js";
import type { Machine } from "./machine.js";

const namespaces: CheckSubject = {
  id: "trial-namespaces",
  title: "trial: namespaces of its own",
  neededFor: "every RUN",
};
const overlay: CheckSubject = {
  id: "trial-overlay",
  title: "trial: overlay mount in the store",
  neededFor: "every RUN",
};
const sandbox: CheckSubject = { id: "trial-run", title: "trial: a RUN in the sandbox", neededFor: "every RUN" };

/** @param store the opened store: its file system must be able to carry an overlay. */
export async function runTrials(machine: Machine, store: Store): Promise<readonly DoctorCheck[]> {
  const first = await tryNamespaces(machine);
  if (first.state !== "ok") return [first, notTried(overlay), notTried(sandbox)];
  const second = await tryOverlay(machine, store);
  if (second.state !== "ok") return [first, second, notTried(sandbox)];
  return [first, second, ...(await tryEngine(machine, store))];
}

function notTried(subject: CheckSubject): DoctorCheck {
  return lacking(subject, { state: "broken", found: "not tried, for the trial before it failed", hint: null });
}

/** Runs a command where the engine would run its worker. Gives what went wrong. */
async function faultInNamespaces(machine: Machine, ...command: string[]): Promise<string | undefined> {
  const [program, ...args] = inNamespaces(machine.uid, command);
  try {
    const result = await machine.processes.run(program, args, { env: toolEnvironment, timeoutMilliseconds: 30_000 });
    if (result.status === 0) return undefined;
    const said = result.stderr.toString("utf8").trim();
    return said === "" ? `it ended with ${result.signal ?? `status ${String(result.status)}`}` : said.slice(0, 500);
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    return thrown.message;
  }
}

async function tryNamespaces(machine: Machine): Promise<DoctorCheck> {
  const fault = await faultInNamespaces(machine, "true");
  if (fault === undefined) return working(namespaces, machine.uid === 0 ? "they work" : "they work without root");
  const hint =
    machine.uid === 0
      ? "a container that runs this needs the privilege to make namespaces (docker run --privileged)"
      : "mend what is listed above; inside a container, run it with the privilege to make user namespaces";
  return lacking(namespaces, { state: "broken", found: fault, hint });
}

async function tryOverlay(machine: Machine, store: Store): Promise<DoctorCheck> {
  const base = store.temporary("overlay-trial");
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => `${base}/${name}`);
  machine.files.mkdirSync(base, { mode: 0o700 });
  for (const path of [lower, upper, work, merged]) machine.files.mkdirSync(path ?? "");
  const features = machine.uid === 0 ? "index=off,metacopy=off,redirect_dir=off" : "userxattr";
  const options = `lowerdir=${lower ?? ""},upperdir=${upper ?? ""},workdir=${work ?? ""},${features},nodev`;
  const fault = await faultInNamespaces(machine, "mount", "-t", "overlay", "overlay", "-o", options, merged ?? "");
  if (fault === undefined) return working(overlay, "it works");
  const hint = "give a store on a disk's own file system with --store: an overlay, and NFS, cannot carry an overlay";
  return lacking(overlay, { state: "broken", found: fault, hint });
}

async function tryEngine(machine: Machine, store: Store): Promise<readonly DoctorCheck[]> {
  const folder = store.temporary("trial");
  const settings = { ...engineSettings(machine), store: `${folder}/store`, jobs: 1, threads: 1 };
  machine.files.mkdirSync(folder, { mode: 0o700 });
  let opened: OpenedEngine | undefined;
  try {
    opened = await openNativeEngine(settings, machine);
    const own = await tryRun(machine, opened, { folder, architecture: machine.architecture });
    const subject = machine.uid === 0 ? sandbox : { ...sandbox, title: `${sandbox.title}, without root` };
    if (own !== undefined) return [lacking(subject, { state: "broken", found: own, hint: null })];
    return [working(subject, "it works"), ...(await tryForeign(machine, opened, folder))];
  } catch (thrown) {
    if (!(thrown instanceof StagewrightError)) throw thrown;
    return [lacking(sandbox, { state: "broken", found: thrown.message, hint: thrown.hint ?? null })];
  } finally {
    await opened?.close();
    machine.files.rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds an image whose one program runs in it. Gives what went wrong. */
async function tryRun(
  machine: Machine,
  opened: OpenedEngine,
  trial: { readonly folder: string; readonly architecture: string },
): Promise<string | undefined> {
  const { folder, architecture } = trial;
  const program = exitProgram(architecture);
  if (program === undefined) return `no program is known for ${architecture}`;
  const context = `${folder}/${architecture}`;
  machine.files.mkdirSync(context);
  machine.files.writeFileSync(`${context}/program`, program, { mode: 0o755 });
  const fileName = "Containerfile";
  const text = 'FROM scratch\nCOPY --chmod=0755 program /program\nRUN --network=none ["/program"]\n';
  const contexts = new Map([["", { folder: context, placed: [], ignore: [] }]]);
  const input = { target: "doctor-trial", contexts, images: new Map(), downloads: new Map(), secrets: {} };
  const definition = planImage({
    ...input,
    file: parseContainerfile(text, fileName),
    fileName,
    text,
    platform: parsePlatform(`linux/${architecture}`),
    buildArguments: new Map(),
    targetStage: undefined,
    networkAllowed: false,
    noCache: true,
    output: { folder: `${folder}/out`, repository: "doctor/trial", version: "latest" },
  });
  let said = "";
  try {
    await opened.engine.build({ ...input, fileName, definition, networkAllowed: false, noCache: true }, (event) => {
      if (event.type === "step-output") said = (said + event.chunk.toString("utf8")).slice(-500);
    });
    return undefined;
  } catch (thrown) {
    return [messageOf(thrown), said.trim()].filter((part) => part !== "").join(": ");
  }
}

/** Debian's name for each architecture in the names of binfmt_misc handlers. */
const handlerNames: Readonly<Record<string, string>> = {
  amd64: "qemu-x86_64",
  "386": "qemu-i386",
  arm64: "qemu-aarch64",
  arm: "qemu-arm",
  riscv64: "qemu-riscv64",
};

/** Platforms other than the machine's: tried where the kernel or a handler may run them. */
async function tryForeign(machine: Machine, opened: OpenedEngine, folder: string): Promise<readonly DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const architecture of programArchitectures.filter((other) => other !== machine.architecture)) {
    const neededFor = `targets of the platform linux/${architecture}`;
    const subject = { id: `platform-${architecture}`, title: `linux/${architecture}`, neededFor };
    const handler = handlerNames[architecture] ?? architecture;
    const isNative = machine.architecture === "amd64" && architecture === "386";
    const install = asRoot(machine.uid, "apt-get install qemu-user-static");
    if (!isNative && readFact(machine.files, `/proc/sys/fs/binfmt_misc/${handler}`) === undefined) {
      checks.push(fact(subject, `no binfmt_misc handler ${handler}`, install));
      continue;
    }
    const fault = await tryRun(machine, opened, { folder, architecture });
    const hint = isNative ? "boot a kernel with IA32_EMULATION (ia32_emulation=1)" : install;
    if (fault === undefined) checks.push(working(subject, isNative ? "it runs" : `it runs through ${handler}`));
    else checks.push(lacking(subject, { state: "broken", found: fault, hint, required: false }));
  }
  return checks;
}
