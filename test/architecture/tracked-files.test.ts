/** Nothing of the machine on which the project is made gets into its files: they must work, and read well, anywhere. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path/posix";
import { describe, expect, it } from "vitest";

import { repository } from "./source-modules.js";

const root = repository.replace(/\/$/, "");
const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true);

/** The texts that must not appear are asked of this machine, so that none need be written here. */
function machineTexts(): readonly string[] {
  const home = homedir();
  const addresses = ["http_proxy", "https_proxy", "npm_config_registry", "GOPROXY", "PIP_INDEX_URL"].flatMap(
    (name) => process.env[name]?.split(/[,|]/) ?? [],
  );
  const registry = execFileSync("npm", ["config", "get", "registry"], { cwd: root, encoding: "utf8" }).trim();
  const hosts = [...addresses, registry].filter((text) => URL.canParse(text)).map((text) => new URL(text).hostname);
  const local = new Set(["localhost", "127.0.0.1", "::1", "[::1]", ""]);
  const folders = [`${root}/`, `${dirname(root)}/shared`, home].filter((path) => path !== "/" && path !== "/root");
  return [...folders, ...hosts.filter((host) => !local.has(host))];
}

describe("tracked files", () => {
  it("name no path and no host of this machine", () => {
    const texts = machineTexts();
    const found = tracked.flatMap((path) => {
      const content = readFileSync(join(root, path), "latin1");
      return texts.filter((text) => content.includes(text)).map((text) => `${path}: ${text}`);
    });
    expect(found).toEqual([]);
  });

  it("hold nothing that is made from others", () => {
    expect(tracked.filter((path) => /^(?:node_modules|dist|out|coverage)\/|\.wasm$|\.log$/.test(path))).toEqual([]);
  });
});
