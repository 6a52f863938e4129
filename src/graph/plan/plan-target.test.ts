import { describe, expect, it } from "vitest";

import { planText, requiredOf } from "../../../test/support/plan-text.js";
import type { CopyAction, FileStep, RunStep } from "../definition.js";

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const context = { kind: "context", name: "", dockerignore: true };
const scratch = { kind: "scratch" };

function runSteps(text: string, options: Parameters<typeof planText>[1] = {}): readonly RunStep[] {
  return planText(text, options).steps.filter((step) => step.kind === "run");
}
function fileSteps(text: string, options: Parameters<typeof planText>[1] = {}): readonly FileStep[] {
  return planText(text, options).steps.filter((step) => step.kind === "file");
}
function copies(text: string, options: Parameters<typeof planText>[1] = {}): readonly CopyAction[] {
  return fileSteps(text, options).flatMap((step) => step.actions.filter((action) => action.kind === "copy"));
}

describe("stages (PL-1 to PL-9)", () => {
  it("plans only what the target stands on, in the order of the file", () => {
    const { steps, result } = planText(
      "FROM scratch AS a\nCOPY a /\nFROM base/unneeded AS b\nRUN b\nFROM a AS c\nCOPY c /\nFROM scratch\nCOPY --from=c / /\n",
    );
    expect(steps.map((step) => [step.origin.line, step.base])).toEqual([
      [2, scratch],
      [6, { kind: "step", step: 0 }],
      [8, scratch],
    ]);
    expect(result).toEqual({ kind: "step", step: 2 });
  });

  it("leaves out a stage that only a tmpfs mount names, and what only it needs", () => {
    const text = "FROM scratch AS a\nCOPY a /\nFROM base/x\nRUN --mount=type=tmpfs,from=a,target=/t true\n";
    expect(planText(text).steps.map((step) => step.kind)).toEqual(["run"]);
  });

  it("resolves stages by name of any case, by number, and the later of two of one name", () => {
    const text =
      "FROM scratch AS a\nCOPY 1 /\nFROM scratch AS A\nCOPY 2 /\nFROM scratch\nCOPY --from=a x /\nCOPY --from=0 y /\n";
    expect(planText(text).steps.map((step) => step.origin.line)).toEqual([2, 4, 6, 7]);
    expect(copies(text).map((copy) => copy.from)).toEqual([
      context,
      context,
      { kind: "step", step: 1 },
      { kind: "step", step: 0 },
    ]);
  });

  it("takes FROM and --from of images by their familiar name", () => {
    const text = "FROM docker.io/base/x:latest\nCOPY --from=base/y:1 /a /\nCOPY --from=scratch /b* /\n";
    expect(planText(text).steps[0]?.base).toEqual({ kind: "image", image: "base/x" });
    expect(copies(text).map((copy) => copy.from)).toEqual([{ kind: "image", image: "base/y:1" }, scratch]);
  });

  it("keeps the platform of a FROM only where it is not the target's", () => {
    const text = "FROM --platform=linux/386 base/x\nRUN true\n";
    expect(planText(text).steps[0]?.base).toEqual({
      kind: "image",
      image: "base/x",
      platform: { os: "linux", architecture: "386" },
    });
    expect(planText(text, { platform: "linux/386" }).steps[0]?.base).toEqual({ kind: "image", image: "base/x" });
    expect(planText("FROM --platform=$BUILDPLATFORM base/x\n", { platform: "linux/arm64" }).result).toEqual({
      kind: "image",
      image: "base/x",
      platform: { os: "linux", architecture: "amd64" },
    });
  });

  it("lets a named folder or image take the place of a stage", () => {
    const text =
      "FROM base/x AS fetch\nRUN true\nFROM base/y AS tool\nRUN true\nFROM scratch\nCOPY --from=fetch a /\nCOPY --from=tool b /\n";
    expect(copies(text, { namedImages: ["tool"], images: { tool: { config: {}, history: [] } } })).toMatchObject([
      { from: { kind: "context", name: "fetch", dockerignore: true } },
      { from: { kind: "image", image: "tool" } },
    ]);
  });

  it("lists required images once each, of needed stages only, without planning their instructions", () => {
    const text =
      "ARG N=x\nFROM base/unneeded AS u\nFROM base/$N AS a\nRUN --mount=from=base/m,target=$T true\nFROM --platform=linux/386 base/x\nCOPY --from=a / /\nCOPY --from=base/x /a /\nCOPY --from=base/x /b /\nCOPY --from=fetch c /\n";
    const amd64 = { os: "linux", architecture: "amd64" };
    expect(requiredOf(text)).toEqual([
      { name: "base/x", platform: { os: "linux", architecture: "386" }, position: { line: 5, column: 27 } },
      { name: "base/x", platform: amd64, position: { line: 7, column: 6 } },
      { name: "base/m", platform: amd64, position: { line: 4, column: 5 } },
    ]);
  });
});

describe("RUN (PL-40 to PL-58)", () => {
  it("gives ENV and ARG with the latest last, then the proxies", () => {
    const text = "FROM scratch\nENV A=1\nENV B=2\nARG C=3\nENV A=4\nARG D\nRUN true\n";
    const [run] = runSteps(text, { args: { HTTP_PROXY: "h", no_proxy: "n", EXTRA: "never" } });
    expect(run?.env).toEqual([path, "B=2", "C=3", "A=4", "HTTP_PROXY=h", "http_proxy=h", "NO_PROXY=n", "no_proxy=n"]);
  });

  it("runs shell forms in SHELL, exec forms as they are, and scripts from a file", () => {
    const text =
      'FROM scratch\nWORKDIR a/\nUSER u:g\nRUN ["x","$A"]\nRUN x  y\nSHELL ["s","-c"]\nRUN --network=none <<E\n#!/x\nbody\nE\n';
    expect(
      runSteps(text).map(({ argv, scripts, cwd, user, network }) => ({ argv, scripts, cwd, user, network })),
    ).toEqual([
      { argv: ["x", "$A"], scripts: [], cwd: "/a", user: "u:g", network: "default" },
      { argv: ["/bin/sh", "-c", "x  y"], scripts: [], cwd: "/a", user: "u:g", network: "default" },
      {
        argv: ["s", "-c", "/dev/pipes/E"],
        scripts: [{ path: "/dev/pipes/E", data: "#!/x\nbody\n" }],
        cwd: "/a",
        user: "u:g",
        network: "none",
      },
    ]);
  });

  it("lowers every kind of mount", () => {
    const text = [
      "FROM base/x AS s",
      "FROM scratch",
      "ARG T=/t",
      "WORKDIR /w",
      "RUN --mount=target=c,source=sub/.. --mount=from=s,target=/s,rw --mount=from=fetch,target=/f,src=a \\",
      " --mount=type=cache,target=./c/,sharing=locked,mode=0700,uid=1 --mount=type=cache,id=i,target=/d,from=s,source=/x,ro \\",
      " --mount=type=tmpfs,target=$T,size=1m --mount=type=secret,id=k --mount=type=secret,id=e,env=E,required true",
    ].join("\n");
    expect(runSteps(text)[0]?.mounts).toEqual([
      { kind: "bind", from: context, source: "/", target: "/w/c", writable: false },
      { kind: "bind", from: { kind: "image", image: "base/x" }, source: "/", target: "/s", writable: true },
      { kind: "bind", from: { ...context, name: "fetch" }, source: "/a", target: "/f", writable: false },
      {
        ...{ kind: "cache", id: "c", target: "/w/c", sharing: "locked", from: undefined, source: "/" },
        ...{ mode: 0o700, uid: 1, gid: 0, readonly: false },
      },
      {
        ...{ kind: "cache", id: "i", target: "/d", sharing: "shared", from: { kind: "image", image: "base/x" } },
        ...{ source: "/x", mode: 0o755, uid: 0, gid: 0, readonly: true },
      },
      { kind: "tmpfs", target: "/t", size: 1 << 20 },
      {
        ...{ kind: "secret", id: "k", target: "/run/secrets/k", env: undefined, required: false },
        ...{ mode: 0o400, uid: 0, gid: 0 },
      },
      {
        ...{ kind: "secret", id: "e", target: undefined, env: "E", required: true },
        ...{ mode: 0o400, uid: 0, gid: 0 },
      },
    ]);
  });
});

describe("COPY, ADD and WORKDIR (PL-60 to PL-72)", () => {
  it.each([
    ["a", "/", "/a", "/"],
    [".", ".", "/", "/w/"],
    ["../a/./b/", "x", "/a/b", "/w/x"],
    ["a*", "x/.", "/a*", "/w/x"],
    ["/a", "/x/.", "/a", "/x/"],
    ["/a", "/x//y/", "/a", "/x/y/"],
    ["a", "..", "/a", "/"],
    ["$V", "$V/", "/v", "/w/v/"],
  ])("COPY %s %s", (source, destination, from, to) => {
    const [copy] = copies(`FROM scratch\nARG V=v\nWORKDIR /w\nCOPY ${source} ${destination}\n`);
    expect([copy?.source, copy?.destination]).toEqual([from, to]);
  });

  it("passes flags on, and drops --link where --chmod is given", () => {
    const text =
      "FROM scratch\nUSER 9\nARG O=u:g\nCOPY --chown=$O --chmod=4755 --link a /\nCOPY --chown=3 --link --exclude=*.o --exclude=$O b /\nADD --link=false c /\n";
    expect(fileSteps(text).map((step) => step.link)).toEqual([false, true, false]);
    expect(copies(text)).toMatchObject([
      { owner: { user: "u", group: "g" }, mode: 0o4755, unpack: false, exclude: [] },
      { owner: { user: "3", group: undefined }, mode: undefined, exclude: ["*.o", "u:g"] },
      { owner: undefined, mode: undefined, unpack: true },
    ]);
  });

  it("keeps the pivot of --parents", () => {
    const text = "FROM scratch\nCOPY --parents a/b c/./d/*/ ./e/./f /./g /\n";
    expect(copies(text).map((copy) => copy.source)).toEqual(["/a/b", "/c/./d/*", "/e/./f", "/./g"]);
  });

  it("makes files of heredocs after the sources, expanded unless quoted", () => {
    const text = "FROM scratch\nARG V=1\nCOPY --chmod=600 <<A x <<-'B' /d/\n$V \"$V\"\nA\n\t$V\nB\n";
    expect(fileSteps(text)[0]?.actions).toMatchObject([
      { kind: "copy", source: "/x" },
      { kind: "mkfile", name: "A", destination: "/d/", data: '1 "1"\n', mode: 0o600 },
      { kind: "mkfile", name: "B", destination: "/d/", data: "$V\n", mode: 0o600 },
    ]);
  });

  it("downloads by hash only", () => {
    const hex = "ab".repeat(32);
    const text = `FROM scratch\nARG S=${hex}\nADD --checksum=sha256:$S https://h/a/b%20c.tar?x#y /d/\n`;
    expect(copies(text)).toEqual([
      {
        ...{ kind: "copy", source: "/b c.tar", destination: "/d/", owner: undefined, mode: undefined },
        from: { kind: "download", url: "https://h/a/b%20c.tar?x#y", sha256: hex, fileName: "b c.tar" },
        ...{ unpack: false, parents: false, exclude: [], wildcard: false },
      },
    ]);
  });

  it("makes WORKDIR for USER, and nothing for the root", () => {
    const text = "FROM scratch\nWORKDIR /\nUSER u:5\nWORKDIR //a/../b/\n";
    const { steps, config } = planText(text);
    expect(steps).toMatchObject([
      { actions: [{ kind: "mkdir", path: "/b", mode: 0o755, owner: { user: "u", group: "5" } }] },
    ]);
    expect(config.WorkingDir).toBe("//a/../b/");
  });
});

describe("images (PL-6 to PL-9)", () => {
  it("gives a base without PATH or working directory what BuildKit gives it", () => {
    const images = { "base/bare": { config: { Env: ["A=1"], User: "u" }, history: [], author: "a" } };
    const { config, author, result } = planText("FROM base/bare\n", { images });
    expect(config).toEqual({ User: "u", Env: ["A=1", path] });
    expect(author).toBe("a");
    expect(result).toEqual({ kind: "image", image: "base/bare" });
  });
});
