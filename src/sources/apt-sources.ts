import { compareText, messageOf, systemErrorCode, unavailable } from "../base/index.js";
import type { FileSystem, ProcessResult } from "../base/index.js";
import type { Mirror } from "../tree/index.js";
import {
  parseAptList,
  parseAptStanzas,
  parseCodename,
  planAptEntries,
  renderAptConfiguration,
  renderAptEntries,
  type AptEntry,
} from "./apt-configuration.js";
import { writing } from "./disk-errors.js";
import type { FetchEffects, FetchSettings } from "./fetch-settings.js";
import { checkInterrupted } from "./hashing.js";
import { renderMirror } from "./mirror.js";

type AptMirror = Extract<Mirror, { readonly kind: "apt-source" }>;

/** Files of Debian source packages, through the machine's apt (SO-30 to SO-35). */
export interface AptSources {
  /**
   * Path of the downloaded file, in a folder of this process. apt has checked it against its signed index; it still has
   * to be compared with the hash that the tree asks for.
   * @throws unavailable `mirror-failed`, `program-missing`, `interrupted`, `disk-full`; malformed `bad-suite`
   */
  download(mirror: AptMirror): Promise<string>;
  /** Removes what was downloaded. */
  close(): void;
}

/** The private apt once it is prepared. */
interface PreparedApt {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What `apt-get update` complained of: one suite may be missing and the others serve. */
  readonly complaints: string;
}

const updateMilliseconds = 15 * 60 * 1000;
const downloadMilliseconds = 60 * 60 * 1000;

/** Nothing is done before the first download. */
export function openAptSources(effects: FetchEffects, settings: FetchSettings): AptSources {
  const files = effects.fileSystem;
  let folder: string | undefined;
  let prepared: Promise<PreparedApt> | undefined;
  let count = 0;
  return {
    async download(mirror) {
      folder ??= writing("apt", () => files.mkdtempSync(`${settings.store.temporaryFolder()}/apt.`));
      prepared ??= prepareApt(effects, settings, folder);
      const apt = await prepared;
      count += 1;
      return await downloadFile(effects, settings, apt, mirror, `${apt.folder}/download.${String(count)}`);
    },
    close() {
      if (folder !== undefined) files.rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

async function prepareApt(effects: FetchEffects, settings: FetchSettings, folder: string): Promise<PreparedApt> {
  const files = effects.fileSystem;
  const base = baseEnvironment(settings, folder);
  const dump = await runApt(effects, settings, "apt-config", ["dump"], { env: base, milliseconds: updateMilliseconds });
  const machine = readMachineEntries(files, dump.stdout.toString("utf8"));
  const planned = planAptEntries(machine, readCodename(files), settings.aptSuites);
  if (planned.length === 0) {
    throw aptFailed("apt", "the machine's apt configuration names no archive with the component main");
  }
  writing(folder, () => {
    for (const name of ["sources.d", "state", "lists/partial", "cache/archives/partial"]) {
      files.mkdirSync(`${folder}/${name}`, { recursive: true });
    }
    files.writeFileSync(`${folder}/status`, "");
    files.writeFileSync(`${folder}/sources.d/stagewright.sources`, renderAptEntries(planned));
    files.writeFileSync(`${folder}/apt.conf`, renderAptConfiguration(folder, dump.stdout.toString("utf8")));
  });
  const environment = { ...base, APT_CONFIG: `${folder}/apt.conf` };
  const update = await runApt(effects, settings, "apt-get", ["-q", "update"], {
    env: environment,
    milliseconds: updateMilliseconds,
  });
  return { folder, environment, complaints: complaintsOf(update) };
}

const passedOn = ["http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"];

function baseEnvironment(settings: FetchSettings, folder: string): Record<string, string> {
  const proxies = passedOn.flatMap((name) => {
    const value = settings.environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH, HOME: folder, LC_ALL: "C", ...Object.fromEntries(proxies) };
}

interface AptRun {
  readonly env: Readonly<Record<string, string>>;
  readonly milliseconds: number;
  readonly cwd?: string;
}

async function runApt(
  effects: FetchEffects,
  settings: FetchSettings,
  program: string,
  args: readonly string[],
  run: AptRun,
): Promise<ProcessResult> {
  checkInterrupted(settings.abort);
  const result = await effects.processes.run(program, args, {
    env: run.env,
    timeoutMilliseconds: run.milliseconds,
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    ...(settings.abort === undefined ? {} : { abort: settings.abort }),
  });
  checkInterrupted(settings.abort);
  return result;
}

/** The lines that apt marks as errors (`E:`, `Err:`) and warnings, without repeats, at most a handful. */
function complaintsOf(result: ProcessResult): string {
  const lines = `${result.stderr.toString("utf8")}\n${result.stdout.toString("utf8")}`.split("\n");
  const marked = lines.filter((line) => /^(?:E|W|Err):?/.test(line) && !line.includes("unsandboxed"));
  return [...new Set(marked)].slice(0, 6).join("; ");
}

function readMachineEntries(files: FileSystem, dump: string): readonly AptEntry[] {
  const setting = (name: string): string => dump.match(new RegExp(`^${name} "([^"]*)";$`, "m"))?.[1] ?? "";
  const etc = absolute(setting("Dir") === "" ? "/" : setting("Dir"), setting("Dir::Etc"));
  const list = absolute(etc, setting("Dir::Etc::sourcelist"));
  const parts = absolute(etc, setting("Dir::Etc::sourceparts"));
  const names = readFolder(files, parts).map((name) => `${parts}/${name}`);
  return [list, ...names].flatMap((path) => {
    if (path.endsWith(".sources")) return parseAptStanzas(readText(files, path));
    return path.endsWith(".list") ? parseAptList(readText(files, path)) : [];
  });
}

function absolute(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder.replace(/\/$/, "")}/${path}`;
}

function readCodename(files: FileSystem): string | undefined {
  return parseCodename(readText(files, "/etc/os-release"));
}

/** Empty for a file that is not there: apt itself does without it, too. */
function readText(files: FileSystem, path: string): string {
  try {
    return files.readFileSync(path, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return "";
    throw aptFailed(path, `cannot be read: ${messageOf(cause)}`);
  }
}

function readFolder(files: FileSystem, path: string): readonly string[] {
  try {
    return [...files.readdirSync(path)].sort(compareText);
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return [];
    throw aptFailed(path, `cannot be read: ${messageOf(cause)}`);
  }
}

async function downloadFile(
  effects: FetchEffects,
  settings: FetchSettings,
  apt: PreparedApt,
  mirror: AptMirror,
  folder: string,
): Promise<string> {
  writing(folder, () => effects.fileSystem.mkdirSync(folder));
  const args = ["-q", "source", "--download-only", "--tar-only", `${mirror.source}=${mirror.version}`];
  const run = { env: apt.environment, cwd: folder, milliseconds: downloadMilliseconds };
  const result = await runApt(effects, settings, "apt-get", args, run);
  const path = `${folder}/${mirror.file}`;
  if (result.status === 0 && effects.fileSystem.existsSync(path)) return path;
  const brought = effects.fileSystem.readdirSync(folder).join(", ");
  const found = result.status === 0 ? `apt brought ${brought === "" ? "nothing" : brought}` : complaintsOf(result);
  throw aptFailed(renderMirror(mirror), [found, apt.complaints].filter((part) => part !== "").join("; "));
}

function aptFailed(subject: string, reason: string): Error {
  return unavailable({
    code: "mirror-failed",
    message: `apt has no such file: ${reason}`,
    subject,
    hint: "list the suite that has this version in stagewright.toml",
  });
}
