// What the other scripts need before they run: Node, the npm packages, the Debian packages. Node's own modules only,
// for it runs before `npm ci`. With everything in place it takes a few milliseconds.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { missingPackages } from "./machine-packages.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
const inCi = process.env.CI === "true";
/** Exit status of "could not find out": something outside is missing. */
const unavailable = 3;

/** Ends the process with a reason that a person can act on. */
function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(unavailable);
}

/** @param {{ run?: boolean, test?: boolean }} needs which of the lists in src/app/machine-packages.json to have. */
export function setup(needs = {}) {
  process.chdir(root);
  checkNode();
  installModules();
  if (needs.run) ensurePackages("run", true);
  // A missing peer is a loud skip on a developer's machine and a failure in CI.
  if (needs.test) ensurePackages("test", inCi);
  if (needs.test && inCi) ensureRootlessUser();
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`expected Node 20.19 or later, found ${process.versions.node}: install a later one`);
}

function installModules() {
  if (installedAt("node_modules/.package-lock.json") >= installedAt("package-lock.json")) return;
  process.stderr.write("setup: npm ci\n");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { encoding: "utf8" });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  fail(`npm ci ended with ${result.error?.message ?? `status ${result.status}`}; its own words are above`);
}

function installedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function ensurePackages(kind, required) {
  const missing = missingPackages(kind);
  if (missing.length === 0) return;
  const problem = install(missing.map((entry) => entry.package)) ?? leftOver(kind);
  if (problem === undefined) return;
  const text = `${problem}\n${describe(missing)}`;
  if (required) fail(text);
  process.stderr.write(`setup: WARNING: ${text}\nsetup: the tests that need them are skipped\n`);
}

function leftOver(kind) {
  const names = missingPackages(kind).flatMap((entry) => entry.programs);
  return names.length === 0 ? undefined : `still missing after apt-get: ${names.join(", ")}`;
}

function describe(missing) {
  const lines = missing.map((entry) => `  ${entry.package.padEnd(16)} ${entry.programs.join(", ")}: ${entry.reason}`);
  const command = `  sudo apt-get install --no-install-recommends ${missing.map((entry) => entry.package).join(" ")}`;
  return [...lines, "install them (the names are Debian's):", command].join("\n");
}

/** Gives what went wrong, or undefined when apt-get has installed the packages. */
function install(packages) {
  const apt = aptCommand();
  if (apt === undefined) return "these programs are missing, and this user may not install them:";
  process.stderr.write(`setup: apt-get install ${packages.join(" ")}\n`);
  const run = (...args) => spawnSync(apt[0], [...apt.slice(1), ...args], { encoding: "utf8", env: aptEnvironment() });
  const installArguments = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  if (run(...installArguments).status === 0) return undefined;
  // Lists that are absent or old are the usual reason.
  const update = run("update", "-q");
  const second = run(...installArguments);
  if (second.status === 0) return undefined;
  return `apt-get could not install:\n${update.stderr ?? ""}${second.stdout ?? ""}${second.stderr ?? second.error}`;
}

function aptEnvironment() {
  return { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
}

function aptCommand() {
  if (spawnSync("apt-get", ["--version"]).status !== 0) return undefined;
  if (process.getuid() === 0) return ["apt-get"];
  const sudo = ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  return spawnSync("sudo", ["-n", "true"]).status === 0 ? sudo : undefined;
}

/** The rootless tests run as somebody with a range of subordinate ids; on a machine of CI we may make that somebody. */
function ensureRootlessUser() {
  if (process.getuid() !== 0) return;
  const name = "stagewright-tester";
  const isFor = (line) => !line.startsWith("root:") && Number(line.split(":")[2]) >= 65536;
  const hasRange = (file) => readFileSync(file, { encoding: "utf8", flag: "a+" }).split("\n").some(isFor);
  if (hasRange("/etc/subuid") && hasRange("/etc/subgid")) return;
  spawnSync("useradd", ["--create-home", name]);
  if (hasRange("/etc/subuid") && hasRange("/etc/subgid")) return;
  const ranges = ["--add-subuids", "200000-265535", "--add-subgids", "200000-265535"];
  const made = spawnSync("usermod", [...ranges, name], { encoding: "utf8" });
  if (made.status !== 0) fail(`the rootless tests need a user with subordinate ids: usermod said ${made.stderr}`);
}
