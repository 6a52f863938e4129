/** The engines that others wrote: a real BuildKit, and buildah with skopeo, in a chroot (tools/parity/peer-engines.sh). */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { runProgram, type Side } from "./measure.js";

type Command = readonly [string, ...string[]];

/** What a build is given: a folder of the machine below the peers' share, and the image's name. */
export interface PeerBuild {
  readonly name: string;
  /** The context, with its Containerfile. */
  readonly folder: string;
  /** Where the image goes: an archive of an OCI layout (BuildKit), or a layout (skopeo). */
  readonly output: string;
}

export class Peers {
  private constructor(
    private readonly root: string,
    /** A folder of the machine that the peers see as /peers. */
    readonly share: string,
    readonly versions: string,
  ) {}

  /** Starts the peers, making the chroot if need be. Gives the reason when they cannot be had. */
  static start(repository: string, environment: NodeJS.ProcessEnv): Peers | string {
    if (process.getuid?.() !== 0) return "the peers need root";
    const root = environment["PEERS_ROOT"] ?? "/opt/peers-trixie";
    const share = environment["PEERS_SHARE"] ?? `${root}.share`;
    const env = { ...environment, PEERS_SUITE: "trixie", PEERS_EXTRA: "buildah netavark skopeo" };
    const script = join(repository, "tools/parity/peer-engines.sh");
    const ended = spawnSync(script, ["up"], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    if (ended.status !== 0) return `${script} up failed: ${ended.stderr.trim().slice(-1000)}`;
    mkdirSync(share, { recursive: true });
    return new Peers(root, share, ended.stdout.trim().split("\n").slice(-2).join("; "));
  }

  /** The command with which published digests are made (docs/spec/image.md), that writes the same image as ours. */
  buildx({ name, folder, output }: PeerBuild): Command {
    const image = `stagex/core-${name}`;
    const exported = [
      `name=core-${name}`,
      "type=oci,rewrite-timestamp=true,force-compression=true",
      `annotation.containerd.io/distribution.source.docker.io=${image}`,
      "annotation.org.opencontainers.image.version=1",
      "annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z",
      `tar=true,dest=${this.inside(output)}`,
    ];
    return this.command([
      ...["docker", "buildx", "build", "--network=none", "--provenance=false", "--platform=linux/amd64"],
      ...["--build-arg", "SOURCE_DATE_EPOCH=1", "--build-arg", "BUILDKIT_MULTI_PLATFORM=1"],
      ...["--tag", `${image}:1`, "--output", exported.join(",")],
      ...["-f", `${this.inside(folder)}/Containerfile`, this.inside(folder)],
    ]);
  }

  /** Empties BuildKit's cache of steps and of what was sent to it. */
  async forgetBuildx(): Promise<void> {
    await runProgram(this.command(["docker", "buildx", "prune", "--all", "--force"]));
  }

  /** Builds without buildah's own cache of layers, then writes an OCI layout whose layers skopeo compresses with gzip. */
  buildah({ name, folder, output }: PeerBuild): Command {
    const inside = this.inside(folder);
    const build = `buildah build --quiet --layers=false --network=none --timestamp 1 -t bench-${name} -f ${inside}/Containerfile ${inside}`;
    const copy = `skopeo copy --quiet --dest-compress-format gzip containers-storage:localhost/bench-${name} oci:${this.inside(output)}:1`;
    return this.command(["sh", "-c", `${build} && ${copy}`]);
  }

  async forgetBuildah(): Promise<void> {
    await runProgram(this.command(["buildah", "rmi", "--all", "--force"]));
  }

  private inside(path: string): string {
    return path.replace(this.share, "/peers");
  }

  private command(words: readonly string[]): Command {
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return ["env", "-i", "HOME=/root", "LC_ALL=C", path, "SOURCE_DATE_EPOCH=1", "chroot", this.root, ...words];
  }
}

/** A side of which every run begins with an empty cache. */
export function coldBuildx(peers: Peers, build: PeerBuild): Side {
  return { command: peers.buildx(build), before: () => peers.forgetBuildx() };
}
