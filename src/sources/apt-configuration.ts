import { malformed } from "../base/index.js";

/** One stanza or line of apt's sources, as sources.list(5) has it; only what asking for source packages needs. */
export interface AptEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Keyring or key, as written (a key has several lines); undefined for apt's own trusted keys. */
  readonly signedBy: string | undefined;
}

/** The archives of packages that a `.list` file names, one line each; anything else in it is passed over. */
export function parseAptList(raw: string): readonly AptEntry[] {
  return raw.split("\n").flatMap((line) => {
    const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?([^\s#][^#]*)/.exec(line);
    if (match === null) return [];
    const [uri = "", suite = "", ...components] = (match[2] ?? "").trim().split(/\s+/);
    const signedBy = (match[1] ?? "").split(/\s+/).find((option) => option.startsWith("signed-by="));
    return [{ uris: [uri], suites: [suite], components, signedBy: signedBy?.slice("signed-by=".length) }];
  });
}

/** The same for a `.sources` file: stanzas of fields, with continuation lines and comments. */
export function parseAptStanzas(raw: string): readonly AptEntry[] {
  const stanzas: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  let field = "";
  for (const line of raw.split("\n")) {
    if (line.startsWith("#")) continue;
    if (line.trim() === "") {
      current = undefined;
      continue;
    }
    if (current === undefined) {
      current = new Map();
      stanzas.push(current);
    }
    const colon = line.indexOf(":");
    if (/^\s/.test(line)) current.set(field, `${current.get(field) ?? ""}\n${line}`);
    else if (colon > 0) current.set((field = line.slice(0, colon).toLowerCase()), line.slice(colon + 1).trim());
  }
  return stanzas.filter((fields) => fields.get("enabled") !== "no").map(entryOf);
}

function entryOf(fields: ReadonlyMap<string, string>): AptEntry {
  const words = (name: string): readonly string[] =>
    (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
  return {
    uris: words("uris"),
    suites: words("suites"),
    components: words("components"),
    signedBy: fields.get("signed-by"),
  };
}

/** VERSION_CODENAME of os-release(5), or undefined (a rolling release has none). */
export function parseCodename(rawOsRelease: string): string | undefined {
  return /^VERSION_CODENAME="?([a-z0-9.-]+)"?$/m.exec(rawOsRelease)?.[1];
}

/**
 * The machine's own archives of the distribution, asked for source packages, with further suites beside their own
 * (SO-31). Other people's archives are left out: few have sources, and none is needed. A suite for security updates
 * goes to the archive of those. Options that weaken the check of signatures (`trusted=yes`) are not taken over.
 * @throws malformed `bad-suite`
 */
export function planAptEntries(
  machine: readonly AptEntry[],
  codename: string | undefined,
  furtherSuites: readonly string[],
): readonly AptEntry[] {
  for (const suite of furtherSuites) checkSuite(suite);
  const usable = machine.filter((entry) => entry.components.includes("main") && !isCarriedByHand(entry));
  const own = usable.filter((entry) => entry.suites.some((suite) => isOwnSuite(suite, codename)));
  const chosen = own.length > 0 ? own : usable.slice(0, 1);
  const planned = chosen.map((entry) => {
    const hasSecurity = entry.suites.some(isSecurity);
    const hasOther = entry.suites.some((suite) => suite === codename || (codename === undefined && !isSecurity(suite)));
    const further = furtherSuites.filter((suite) => (isSecurity(suite) ? hasSecurity : hasOther));
    return { ...entry, suites: [...new Set([...entry.suites, ...further])], components: ["main"] };
  });
  return planned;
}

function isCarriedByHand(entry: AptEntry): boolean {
  return entry.uris.some((uri) => uri.startsWith("cdrom:"));
}

function isOwnSuite(suite: string, codename: string | undefined): boolean {
  if (codename === undefined) return true;
  return suite === codename || [`${codename}-updates`, `${codename}-security`, `${codename}-backports`].includes(suite);
}

function isSecurity(suite: string): boolean {
  return /[-/](?:security|updates\/security)$/.test(suite) || suite.endsWith("/updates");
}

function checkSuite(suite: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:\/updates)?$/.test(suite)) return;
  throw malformed({
    code: "bad-suite",
    message: `expected the name of a suite such as trixie, found ${JSON.stringify(suite.slice(0, 100))}`,
    subject: "stagewright.toml",
    hint: "mend the list of suites for apt-source mirrors",
  });
}

/** The entries as a `.sources` file. */
export function renderAptEntries(entries: readonly AptEntry[]): string {
  return entries
    .map((entry) => {
      const fields = [
        "Types: deb-src",
        `URIs: ${entry.uris.join(" ")}`,
        `Suites: ${entry.suites.join(" ")}`,
        `Components: ${entry.components.join(" ")}`,
      ];
      return [...fields, ...(entry.signedBy === undefined ? [] : [`Signed-By: ${entry.signedBy}`]), ""].join("\n");
    })
    .join("\n");
}

/** Settings of the machine's own apt that say how it reaches the network, out of what `apt-config dump` prints. */
const keptSetting = /^Acquire::(?:https?::|ForceIPv[46]|Retries|Check-Valid-Until|Check-Date)[^ "]* "[^"\\]*";$/;

/**
 * An apt configuration that shares nothing with the machine's but its way to the network, its trusted keys and the
 * given archives. It must be named by APT_CONFIG, which apt reads before it looks for the machine's files.
 */
export function renderAptConfiguration(folder: string, rawMachineDump: string): string {
  const kept = rawMachineDump.split("\n").filter((line) => keptSetting.test(line));
  const set = (name: string, value: string): string => `${name} "${value}";`;
  return [
    ...kept,
    set("Dir::Etc::main", "/dev/null"),
    set("Dir::Etc::parts", "/dev/null"),
    set("Dir::Etc::sourcelist", "/dev/null"),
    set("Dir::Etc::sourceparts", `${folder}/sources.d`),
    set("Dir::Etc::preferences", "/dev/null"),
    set("Dir::Etc::preferencesparts", "/dev/null"),
    set("Dir::State", `${folder}/state`),
    set("Dir::State::lists", `${folder}/lists`),
    set("Dir::State::status", `${folder}/status`),
    set("Dir::Cache", `${folder}/cache`),
    set("Dir::Cache::pkgcache", ""),
    set("Dir::Cache::srcpkgcache", ""),
    set("Acquire::Languages", "none"),
    // The hash in package.toml is checked as well; two locks are better than one.
    set("Acquire::AllowInsecureRepositories", "false"),
    set("Acquire::AllowWeakRepositories", "false"),
    set("Acquire::AllowDowngradeToInsecureRepositories", "false"),
    set("APT::Get::AllowUnauthenticated", "false"),
    "",
  ].join("\n");
}
