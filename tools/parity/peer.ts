/** One real BuildKit, reached by a command prefix, and what it answers for a case. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

import type { Provenance } from "../../test/parity/answers.js";
import type { ParityCase } from "../../test/parity/case.js";
import { type Image, readImage } from "../../test/parity/image.js";
import { layOutCase, layOutTools } from "../../test/parity/lay-out.js";

export interface Peer {
  /** Words that come before `docker`: `tools/parity/peer-engines.sh run`, or none for the machine's own docker. */
  readonly command: readonly string[];
  /** A folder of the machine, and the same folder as the command sees it. */
  readonly share: string;
  readonly shareInside: string;
  /** What was built in this run: each case once, whoever asks for it. */
  readonly results: Map<string, Promise<PeerResult>>;
}

export type PeerResult = { readonly image: Image } | { readonly refused: string };

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(peer: Peer, args: readonly string[]): Promise<Ended> {
  const [program, ...rest] = [...peer.command, "docker", ...args];
  const env = { ...process.env, SOURCE_DATE_EPOCH: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, rest, { env, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

export async function readProvenance(peer: Peer, made: string): Promise<Provenance> {
  const version = await run(peer, ["version", "--format", "{{json .Server}}"]);
  if (version.status !== 0) throw new Error(`no BuildKit behind "${peer.command.join(" ")}": ${version.stderr}`);
  const server = JSON.parse(version.stdout) as { Version: string; Components: { Details: Record<string, string> }[] };
  const details = server.Components[0]?.Details ?? {};
  const buildx = (await run(peer, ["buildx", "version"])).stdout.trim().split(" ").slice(1, 2).join("");
  return {
    engine: `dockerd ${server.Version}`,
    go: details["GoVersion"] ?? "",
    buildx,
    kernel: details["KernelVersion"] ?? "",
    made,
  };
}

/** Builds the case, and before it the cases whose images it uses. The OCI layout stays in `parity-out/NAME.tar`. */
export function buildWithPeer(
  peer: Peer,
  parityCase: ParityCase,
  all: ReadonlyMap<string, ParityCase>,
): Promise<PeerResult> {
  const result = peer.results.get(parityCase.name) ?? buildNow(peer, parityCase, all);
  peer.results.set(parityCase.name, result);
  return result;
}

async function buildNow(peer: Peer, parityCase: ParityCase, all: ReadonlyMap<string, ParityCase>): Promise<PeerResult> {
  const work = join(peer.share, "parity-work");
  const inside = (path: string) => path.replace(peer.share, peer.shareInside);
  const images: string[] = [];
  for (const [name, from] of Object.entries(parityCase.images)) {
    const dependency = all.get(from);
    if (dependency === undefined) throw new Error(`${parityCase.name}: no case named ${from}`);
    await buildWithPeer(peer, dependency, all);
    images.push("--build-context", `${name}=oci-layout://${inside(join(work, "layouts", from))}`);
  }
  fs.mkdirSync(join(work, "cases"), { recursive: true });
  const folder = fs.mkdtempSync(join(work, "cases", `${parityCase.name}.`));
  fs.chmodSync(folder, 0o755);
  const laidOut = layOutCase(parityCase, folder, layOutTools(join(folder, "tools")));
  const out = join(peer.share, "parity-out");
  fs.mkdirSync(out, { recursive: true });
  const tar = join(out, `${parityCase.name}.tar`);
  fs.rmSync(tar, { force: true });
  const result = await run(peer, [
    ...buildxArguments(parityCase, inside(tar)),
    ...Object.entries(laidOut.contexts).flatMap(([name, path]) => ["--build-context", `${name}=${inside(path)}`]),
    ...images,
    ...Object.entries(laidOut.secrets).flatMap(([id, path]) => ["--secret", `id=${id},src=${inside(path)}`]),
    "-f",
    inside(laidOut.containerfile),
    inside(laidOut.context),
  ]);
  fs.writeFileSync(join(out, `${parityCase.name}.log`), result.stderr);
  fs.rmSync(folder, { recursive: true, force: true });
  if (/panic: |Cannot connect to the Docker daemon/.test(result.stderr)) {
    throw new Error(`${parityCase.name}: BuildKit gave no answer: ${lastError(result.stderr)}`);
  }
  if (result.status !== 0) return { refused: lastError(result.stderr) };
  return { image: unpackLayout(tar, join(work, "layouts", parityCase.name)) };
}

function buildxArguments(parityCase: ParityCase, destination: string): string[] {
  const name = parityCase.name;
  const args = { SOURCE_DATE_EPOCH: "1", BUILDKIT_MULTI_PLATFORM: "1", ...parityCase.args };
  const output = [
    `name=${name}`,
    "type=oci,rewrite-timestamp=true,force-compression=true",
    `annotation.containerd.io/distribution.source.docker.io=stagex/${name}`,
    "annotation.org.opencontainers.image.version=latest",
    "annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z",
    `tar=true,dest=${destination}`,
  ];
  return [
    ...["buildx", "build", "--no-cache", "--network=none", "--provenance=false", "--progress=plain"],
    `--platform=${parityCase.platform}`,
    ...Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
    ...["--tag", `stagex/${name}:latest`, "--output", output.join(",")],
    ...(parityCase.target === undefined ? [] : ["--target", parityCase.target]),
  ];
}

function unpackLayout(tar: string, folder: string): Image {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const result = spawnSync("tar", ["-xf", tar, "-C", folder]);
  if (result.status !== 0) throw new Error(`${tar}: ${result.stderr.toString()}`);
  return readImage(folder);
}

/** The error as a person reads it, without the names that BuildKit draws anew for every build. */
function lastError(log: string): string {
  const lines = log.trim().split("\n");
  const line = lines.filter((l) => l.startsWith("ERROR: ")).at(-1) ?? lines.at(-1) ?? "";
  return line.replace(/\/var\/lib\/docker\/\S*?buildkit\d+/g, "ROOT").replace(/\bref \w+::\w+/g, "ref …");
}
