/**
 * `stagewright.toml`, the settings of a tree. Rules TR-40 to TR-49 of docs/spec/tree.md. Every key is known or an error:
 * a misspelt setting of a policy must never mean the default.
 */
import { parseTargetId } from "./names.js";
import { quoted, type Problem } from "./problem.js";
import { isRawTable, shownPath, TomlReader, type RawTable, type TomlPath } from "./toml-reader.js";

/** A rule of `check` that the tree's maintainers silence, and why. */
export interface IgnoredRule {
  readonly rule: string;
  readonly reason: string;
  /** Ids `STAGE-NAME` of packages (by folder) that it is silenced for; undefined for all. */
  readonly packages: readonly string[] | undefined;
  /** Line in stagewright.toml, from 1. */
  readonly line: number;
}

export interface TreeConfig {
  /** `PREFIX/STAGE-NAME` is the image of a target: `stagex`, `example.org/team`. */
  readonly prefix: string;
  /** Ids of the targets whose RUN steps may have a network when they ask for it. */
  readonly networkAllow: readonly string[];
  readonly ignoredRules: readonly IgnoredRule[];
  /** Suites that `apt-source:` mirrors look in. */
  readonly aptSuites: readonly string[];
}

/** The settings of a tree without stagewright.toml. */
export const defaultTreeConfig: TreeConfig = { prefix: "stagex", networkAllow: [], ignoredRules: [], aptSuites: [] };

export const treeConfigFile = "stagewright.toml";

/** Checks a stagewright.toml and gives all its faults at once; a faulty setting has its default. Never throws. */
export function checkTreeConfig(raw: Uint8Array | string): {
  readonly config: TreeConfig;
  readonly problems: readonly Problem[];
} {
  const reader = TomlReader.read(raw, treeConfigFile);
  const { root } = reader;
  reader.refuseUnknown(root, [], ["prefix", "network", "check", "apt"]);
  const config: TreeConfig = {
    prefix: readPrefix(reader) ?? defaultTreeConfig.prefix,
    networkAllow: readNetwork(reader),
    ignoredRules: readIgnores(reader),
    aptSuites: readSuites(reader),
  };
  return { config, problems: reader.problems };
}

const component = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*";
const prefixForm = new RegExp(`^(?:${component}(?::[0-9]{1,5})?/)?${component}(?:/${component})*$`);

function readPrefix(reader: TomlReader): string | undefined {
  const prefix = reader.oneLine(reader.root, [], "prefix");
  if (prefix === undefined || (prefix.length <= 200 && prefixForm.test(prefix))) return prefix;
  const message = `expected the first part of an image name such as stagex, found ${quoted(prefix)}`;
  reader.fault(["prefix"], { rule: "bad-prefix", message, hint: "use small letters, without a slash at the end" });
  return undefined;
}

function readNetwork(reader: TomlReader): readonly string[] {
  const table = reader.table(reader.root, [], "network");
  if (table === undefined) return [];
  reader.refuseUnknown(table, ["network"], ["allow"]);
  return readTargets(reader, table, ["network"], "allow") ?? [];
}

/** Ids, each `STAGE-NAME`; whether such a target exists is a question for the whole tree. */
function readTargets(reader: TomlReader, table: RawTable, path: TomlPath, key: string): readonly string[] | undefined {
  return reader.texts(table, path, key)?.filter((target, index) => {
    if (parseTargetId(target) !== undefined) return true;
    const item = [...path, key, String(index)];
    const message = `expected STAGE-NAME such as core-gcc for ${shownPath(item)}, found ${quoted(target)}`;
    reader.fault(item, { rule: "bad-target", message, hint: "there are no wildcards: name each target" });
    return false;
  });
}

function readIgnores(reader: TomlReader): readonly IgnoredRule[] {
  const check = reader.table(reader.root, [], "check");
  if (check === undefined) return [];
  reader.refuseUnknown(check, ["check"], ["ignore"]);
  const path = ["check", "ignore"];
  const raw = Object.hasOwn(check, "ignore") ? check["ignore"] : [];
  if (!Array.isArray(raw)) {
    reader.wrongKind(path, "[[check.ignore]] tables", raw);
    return [];
  }
  return raw.flatMap((entry: unknown, index) => {
    const item = [...path, String(index)];
    if (isRawTable(entry)) return readIgnore(reader, entry, item);
    reader.wrongKind(item, "a [[check.ignore]] table", entry);
    return [];
  });
}

function readIgnore(reader: TomlReader, entry: RawTable, path: TomlPath): readonly IgnoredRule[] {
  reader.refuseUnknown(entry, path, ["rule", "reason", "packages"]);
  const rule = reader.oneLine(entry, path, "rule");
  const reason = reader.oneLine(entry, path, "reason");
  const packages = readTargets(reader, entry, path, "packages");
  if (rule === undefined || reason === undefined || reason.trim() === "") {
    const message = "expected rule and reason in [[check.ignore]], found one or both missing or empty";
    reader.fault(path, { rule: "missing-reason", message, hint: "say why the rule does not hold here" });
    return [];
  }
  return [{ rule, reason, packages, line: reader.lineOf(path) }];
}

function readSuites(reader: TomlReader): readonly string[] {
  const table = reader.table(reader.root, [], "apt");
  if (table === undefined) return [];
  reader.refuseUnknown(table, ["apt"], ["suites"]);
  const path = ["apt", "suites"];
  return (reader.texts(table, ["apt"], "suites") ?? []).filter((suite, index) => {
    if (/^[a-z0-9][a-z0-9.-]*(?:\/[a-z0-9][a-z0-9.-]*)*$/.test(suite) && suite.length <= 100) return true;
    const message = `expected the name of a Debian suite such as bookworm-updates, found ${quoted(suite)}`;
    reader.fault([...path, String(index)], { rule: "bad-suite", message, hint: "see the machine's apt sources" });
    return false;
  });
}
