/** The command as a user meets it: what it prints where, and the status it ends with. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { thisTool } from "../../src/app/index.js";
import { command, createTree, type TreeFixture } from "./tree-fixture.js";

let tree: TreeFixture;

beforeEach(() => {
  tree = createTree();
});
afterEach(() => {
  tree.remove();
});

const copyOne = "FROM scratch AS package\nCOPY greeting /\n";

interface BuildJson {
  readonly targets: readonly {
    readonly id: string;
    readonly state: string;
    readonly digest: string | null;
    readonly log: string | null;
  }[];
  readonly reasons?: readonly string[];
}

const json = (text: string): BuildJson => JSON.parse(text) as BuildJson;

describe("help and wrong use", () => {
  it("has the version of package.json", () => {
    const manifest = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as object;
    expect(manifest).toMatchObject(thisTool);
    expect(tree.run("--version")).toEqual({ status: 0, stdout: `${thisTool.version}\n`, stderr: "" });
  });

  it("lists every command and what the statuses mean", () => {
    const { status, stdout } = tree.run("--help");
    expect(status).toBe(0);
    for (const name of ["graph", "check", "fetch", "build", "digests", "doctor", "gc", "completion"]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    }
    expect(stdout).toContain("Exit status: 0 done");
  });

  it.each([[["nonsense"]], [["build", "--jobs", "0"]], [["build", "--no-such"]], [["digests", "--write", "--verify"]]])(
    "ends with 2 for %j, with one line and no stack",
    (args) => {
      const { status, stdout, stderr } = tree.run(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain("error: ");
      expect(stderr).not.toContain("    at ");
    },
  );

  it("names the nearest target for one that is not there", () => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    const { status, stderr } = tree.run("build", "user-greting");
    expect(status).toBe(2);
    expect(stderr).toContain("user-greeting");
  });

  it("says what a folder without a tree lacks, as JSON too", () => {
    const { status, stdout } = tree.run("graph", "--tree", "/nonexistent", "--json");
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toHaveProperty("reasons");
  });

  it("ends without a word when nobody reads its answer any more", () => {
    const script = '{ sleep 0.3; "$0" "$1" completion bash; echo "status $?" >&2; } | true';
    const { stderr } = spawnSync("sh", ["-c", script, process.execPath, command], { encoding: "utf8" });
    expect(stderr).toBe("status 141\n");
  });

  it("completes in bash, zsh and fish", () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { status, stdout } = tree.run("completion", shell);
      expect(status).toBe(0);
      expect(stdout).toContain("build");
      if (shell === "bash") expect(spawnSync("bash", ["-n"], { input: stdout }).status).toBe(0);
    }
    expect(tree.run("completion", "tcsh").status).toBe(2);
  });
});

describe("build", () => {
  it("builds, then has nothing to do, and prints one JSON document", () => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    const first = tree.run("build", "--json");
    expect(first.status).toBe(0);
    expect(json(first.stdout).targets).toMatchObject([{ id: "user-greeting", state: "built" }]);
    const second = tree.run("build");
    expect(second.stdout).toContain("nothing to do: all 1 targets are built");
    expect(json(tree.run("build", "--json").stdout).targets).toMatchObject([{ state: "cached", log: null }]);
  });

  it("shows the end of a failed RUN, where it stands, skips what stands on it and builds the rest", () => {
    const shell =
      'FROM scratch AS package\nCOPY sh /bin/sh\nRUN --network=none ["/bin/sh", "-c", "echo told; exit 7"]\n';
    const busybox = fs.readFileSync("/bin/busybox");
    tree.addPackage("core", "bad", shell);
    fs.writeFileSync(join(tree.root, "packages/core/bad/sh"), busybox, { mode: 0o755 });
    tree.addPackage("user", "above", "FROM stagex/core-bad AS package\n");
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    const { status, stdout, stderr } = tree.run("build", "--json");
    expect(status).toBe(1);
    const report = json(stdout);
    const states = Object.fromEntries(report.targets.map(({ id, state }) => [id, state]));
    expect(states).toEqual({ "core-bad": "failed", "user-above": "skipped", "user-greeting": "built" });
    expect(stderr).toContain("told");
    expect(stderr).toContain("packages/core/bad/Containerfile:3");
    expect(report.reasons?.join("\n")).toContain("status 7");
    const log = report.targets.find(({ id }) => id === "core-bad")?.log ?? "";
    expect(fs.readFileSync(log, "utf8")).toContain("told\n");
  });

  it("stops at a fault of the wanted targets and not at those of others", () => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    tree.addPackage("user", "broken", "FROM scratch AS package\nCOPPY a b\n");
    expect(tree.run("build", "greeting").status).toBe(0);
    const { status, stderr } = tree.run("build", "broken");
    expect(status).toBe(2);
    expect(stderr).toContain("packages/user/broken/Containerfile:2");
    expect(tree.run("graph").status).toBe(2);
  });

  it("takes folders and layouts as named contexts, and rebuilds when they change", () => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    expect(tree.run("build", "greeting").status).toBe(0);
    tree.addPackage("user", "outer", "FROM example/base AS package\nCOPY --from=extra word /\n");
    tree.write({ "extra/word": "one\n" });
    const contexts = ["example/base=oci-layout://out/user-greeting", "extra=extra"];
    const build = () => tree.run("build", "outer", "--json", ...contexts.flatMap((c) => ["--build-context", c]));
    expect(tree.run("build", "outer").status).toBe(2);
    const first = build();
    expect(first.status).toBe(0);
    expect(json(build().stdout).targets[0]?.state).toBe("cached");
    tree.write({ "extra/word": "two\n" });
    const changed = json(build().stdout).targets[0];
    expect(changed?.state).toBe("built");
    expect(changed?.digest).not.toBe(json(first.stdout).targets[0]?.digest);
  });

  it("stands on a package that is built for another platform", () => {
    tree.addPackage("bootstrap", "old", copyOne, { greeting: "hello\n" });
    const toml = "packages/bootstrap/old/package.toml";
    const text = fs.readFileSync(join(tree.root, toml), "utf8");
    tree.write({ [toml]: `${text}platforms = ["linux/386"]\n` });
    tree.addPackage("user", "new", "FROM --platform=linux/386 stagex/bootstrap-old AS package\n");
    const { status, stdout } = tree.run("build", "--json");
    expect(status).toBe(0);
    expect(json(stdout).targets).toMatchObject([
      { id: "bootstrap-old", platform: "linux/386" },
      { id: "user-new", platform: "linux/amd64" },
    ]);
  });

  it("takes a platform in any spelling, and none that is not of Linux", () => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
    expect(tree.run("build", "--platform", "linux/aarch64").status).toBe(0);
    const { stdout } = tree.run("build", "--platform", "arm64", "--json");
    expect(json(stdout).targets).toMatchObject([{ state: "cached", platform: "linux/arm64" }]);
    for (const platform of ["windows/amd64", "nonsense", "../.."]) {
      const { status, stderr } = tree.run("build", "--platform", platform);
      expect({ platform, status }).toEqual({ platform, status: 2 });
      expect(stderr).toContain("--platform: expected a platform of Linux");
    }
  });

  it("refuses a platform that this kernel cannot run, and says what to install", () => {
    const run = 'FROM scratch AS package\nCOPY greeting /\nRUN --network=none ["/greeting"]\n';
    tree.addPackage("user", "foreign", run, { greeting: "#!/nothing\n" });
    const { status, stderr } = tree.run("build", "--platform", "linux/s390x");
    expect(status).toBe(3);
    expect(stderr).toContain("qemu-user-static");
  });
});

describe("digests", () => {
  beforeEach(() => {
    tree.addPackage("user", "greeting", copyOne, { greeting: "hello\n" });
  });

  it("is 3 where nothing was built, 0 where equal, 1 where one differs", () => {
    expect(tree.run("build").status).toBe(0);
    expect(tree.run("digests", "--write").status).toBe(0);
    expect(tree.run("digests", "--verify").status).toBe(0);
    tree.write({ "packages/user/greeting/greeting": "changed\n" });
    expect(tree.run("build").status).toBe(0);
    expect(tree.run("digests", "--verify").status).toBe(1);
    fs.rmSync(join(tree.root, "out"), { recursive: true });
    expect(tree.run("digests", "--verify").status).toBe(3);
  });

  it("is 1 where a layout is damaged, says which, and still tells of the others", () => {
    tree.addPackage("user", "other", copyOne, { greeting: "hi\n" });
    expect(tree.run("build").status).toBe(0);
    expect(tree.run("digests", "--write").status).toBe(0);
    fs.rmSync(join(tree.root, "out/user-other/blobs"), { recursive: true });
    for (const mode of [[], ["--verify"], ["--write"]]) {
      const { status, stdout } = tree.run("digests", "--json", ...mode);
      expect({ mode, status }).toEqual({ mode, status: 1 });
      const report = json(stdout);
      expect(report.targets).toMatchObject([{ verdict: "equal" }, { verdict: "damaged", digest: null }]);
      expect(report.reasons).toEqual([expect.stringContaining("user-other")]);
    }
    expect(fs.readFileSync(join(tree.root, "digests/user.txt"), "utf8").split("\n")).toHaveLength(3);
  });

  it("names the line that is no digest", () => {
    tree.write({ "digests/user.txt": "nonsense\n" });
    const { status, stderr } = tree.run("digests", "--verify");
    expect(status).toBe(2);
    expect(stderr).toContain("digests/user.txt:1");
  });
});
