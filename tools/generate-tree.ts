/**
 * Makes a package tree of a given size that looks like a real one (docs/spec/tree.md, "Sizes"): stages, subpackages,
 * `version_from`, heredocs, wildcards. The same seed gives the same bytes. Used by tests and by the bench.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { random, type Random } from "./random.js";

export interface GenerateTreeOptions {
  /** Targets that the tree shall have, at least 20. */
  readonly targets: number;
  readonly seed: number;
  /** Makes a tree that can be built, and quickly: its sources are small files, which are written into this folder. */
  readonly distfiles?: string;
}

/** What was made. */
export interface GeneratedTree {
  /** Ids in the order in which they can be built. */
  readonly targets: readonly string[];
  /** Distinct edges between targets. */
  readonly edges: number;
}

interface Plan {
  readonly stage: "bootstrap" | "core" | "pallet" | "user";
  readonly name: string;
  readonly subpackages: readonly string[];
  readonly versionFrom: string | undefined;
  readonly version: string;
}

/** Writes the tree into `directory`, which is made when it is missing. */
export function generateTree(directory: string, options: GenerateTreeOptions): GeneratedTree {
  const next = random(options.seed);
  const { distfiles } = options;
  if (distfiles !== undefined) mkdirSync(distfiles, { recursive: true });
  const made: string[] = [];
  let edges = 0;
  for (const plan of plans(options.targets, next)) {
    const folder = join(directory, "packages", plan.stage, plan.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.toml"), packageToml(plan, next, distfiles));
    const usable = made.filter((id) => mayUse(plan.stage, id));
    const file = containerfile(plan, usable, next, distfiles !== undefined);
    writeFileSync(join(folder, "Containerfile"), file.text);
    edges += file.edges;
    for (const name of plan.subpackages.length > 0 ? plan.subpackages : [plan.name]) made.push(`${plan.stage}-${name}`);
  }
  return { targets: made, edges };
}

function mayUse(stage: Plan["stage"], id: string): boolean {
  if (stage === "bootstrap") return id.startsWith("bootstrap-");
  if (stage === "core") return id.startsWith("bootstrap-") || id.startsWith("core-");
  return stage === "user" || !id.startsWith("user-");
}

/** Shares of the stages as in a real tree: 1 in 100 bootstrap, 35 core, 4 pallet, 60 user. */
function plans(targets: number, next: Random): readonly Plan[] {
  const plans: Plan[] = [];
  const cores: string[] = [];
  for (let count = 0; count < targets;) {
    const share = count / targets;
    const stage = share < 0.008 ? "bootstrap" : share < 0.36 ? "core" : share < 0.4 ? "pallet" : "user";
    const name =
      stage === "bootstrap" ? `stage${String(count)}` : `${next.pick(words)}-${next.pick(words)}${String(count)}`;
    const left = targets - count;
    const many =
      stage !== "bootstrap" && stage !== "pallet" && next.below(55) === 0 ? Math.min(left, 2 + next.below(12)) : 0;
    const subpackages = Array.from({ length: many }, (_, index) =>
      index === 0 ? name : `${name}-${next.pick(words)}${String(index)}`,
    );
    const versionFrom = stage === "pallet" && cores.length > 0 ? next.pick(cores) : undefined;
    plans.push({ stage, name, subpackages, versionFrom, version: version(next) });
    if (stage === "core") cores.push(`core-${name}`);
    count += Math.max(1, many);
  }
  return plans;
}

function version(next: Random): string {
  const parts = Array.from({ length: 1 + next.below(3) }, () => String(next.below(40)));
  return parts.join(".") + (next.below(15) === 0 ? "-rc1" : "");
}

function packageToml(plan: Plan, next: Random, distfiles: string | undefined): string {
  const list = plan.subpackages.map((name) => `  "${name}",\n`).join("");
  const lines = [
    "[package]",
    `name = "${plan.name}"`,
    plan.versionFrom === undefined ? `version = "${plan.version}"` : `version_from = "${plan.versionFrom}"`,
    `description = "${Array.from({ length: 8 }, () => next.pick(words)).join(" ")}"`,
    `license = "${next.pick(licenses)}"`,
    `website = "https://${next.pick(words)}.example.org/"`,
    ...(list === "" ? [] : [`subpackages = [\n${list}]`]),
    ...(plan.stage === "bootstrap" ? ['platforms = ["linux/386"]'] : []),
  ];
  if (plan.versionFrom === undefined) {
    const extra = next.below(8) === 0 ? 1 + next.below(8) : 0;
    lines.push(...source(plan, { name: plan.name, own: undefined, distfiles }, next));
    for (let index = 0; index < extra; index++) {
      const name = `${next.pick(words)}_${String(index)}`;
      lines.push(...source(plan, { name, own: version(next), distfiles }, next));
    }
  }
  return `${lines.join("\n")}\n`;
}

interface PlannedSource {
  readonly name: string;
  /** Its own version, where it has not the package's. */
  readonly own: string | undefined;
  readonly distfiles: string | undefined;
}

/** The hash is that of the file that a tree which can be built has. */
function source(plan: Plan, { name, own, distfiles }: PlannedSource, next: Random): readonly string[] {
  const content = `${plan.stage}/${plan.name}/${name}`;
  const hash = createHash("sha256").update(content).digest("hex");
  const format = distfiles === undefined ? "tar.gz" : "txt";
  if (distfiles !== undefined) writeFileSync(join(distfiles, `${name}-${own ?? plan.version}.${format}`), content);
  const mirrors = [`https://${next.pick(words)}.example.org/${name}/v{version}/{file}`];
  if (next.below(4) === 0) mirrors.push(`https://mirror.example.com/pub/${name}/{file}`);
  return [
    "",
    `[sources.${name}]`,
    `hash = "${hash}"`,
    ...(own === undefined ? [] : [`version = "${own}"`]),
    `format = "${format}"`,
    `file = "${name}-{version}.{format}"`,
    `mirrors = [${mirrors.map((mirror) => ` "${mirror}",`).join("")} ]`,
  ];
}

interface MadeContainerfile {
  readonly text: string;
  readonly edges: number;
}

function containerfile(plan: Plan, usable: readonly string[], next: Random, buildable: boolean): MadeContainerfile {
  const base = usable.filter((id) => id.startsWith("bootstrap-") || next.below(10) === 0);
  const count = Math.min(usable.length, 2 + next.below(11));
  const chosen = new Set(Array.from({ length: count }, () => nearEnd(usable, next)));
  const from = base.length === 0 ? "scratch" : `stagex/${next.pick(base)}`;
  const used = new Set([...chosen, ...(base.length === 0 ? [] : [from.slice("stagex/".length)])]);
  const lines = [
    `FROM ${from} AS build`,
    ...[...chosen].map((id) => `COPY --from=stagex/${id} . /`),
    ...buildSteps(plan, next, buildable),
    ...packageStages(plan),
  ];
  return { text: `${lines.join("\n")}\n`, edges: used.size * Math.max(1, plan.subpackages.length) };
}

/** Mostly what was made lately, as in a real tree, so that there are long paths. */
function nearEnd(usable: readonly string[], next: Random): string {
  const back = Math.min(next.below(usable.length), next.below(usable.length));
  return usable[usable.length - 1 - back] ?? "";
}

/** In a tree that can be built the text of the build is a file of the image, and a pallet has no source to add. */
function buildSteps(plan: Plan, next: Random, buildable: boolean): readonly string[] {
  const folder = `/${plan.name}-\${VERSION}`;
  const format = buildable ? "txt" : "tar.gz";
  const rootfs = plan.subpackages.map((name) => `COPY <<EOF /rootfs/usr/share/${name}/name\n${name}\nEOF`);
  return [
    "ARG VERSION",
    ...(buildable && plan.versionFrom !== undefined ? [] : [`ADD fetch/${plan.name}-\${VERSION}.${format} .`]),
    `WORKDIR ${folder}`,
    "# the flags that every package of this tree takes",
    `ENV CFLAGS="-O2 -pipe" \\\n    DESTDIR=/rootfs`,
    buildable ? `COPY <<-"EOF" /rootfs/usr/src/${plan.name}` : "RUN --network=none <<-EOF",
    "\tset -eux",
    ...Array.from(
      { length: 2 + next.below(5) },
      () => `\t./configure --with-${next.pick(words)} \\\n\t\t--prefix=/usr`,
    ),
    '\tmake -j "$(nproc)"',
    "\tmake install",
    "EOF",
    ...(buildable ? rootfs : []),
    ...(next.below(3) === 0 ? ['COPY --chmod=0644 <<-"EOF" /rootfs/etc/conf', "\tvalue = $(uname -m)", "EOF"] : []),
  ];
}

function packageStages(plan: Plan): readonly string[] {
  if (plan.subpackages.length === 0) return ["FROM scratch AS package", "COPY --from=build /rootfs/ /"];
  return plan.subpackages.flatMap((name) => [
    `FROM scratch AS package-${name}`,
    `COPY --from=build /rootfs/usr/share/${name}* /usr/share/`,
  ]);
}

const licenses = ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-or-later", "GPL-2.0-only AND MIT", "ISC"];

const words = (
  "alder amber anvil arbor aspen basalt birch brook cedar cinder clay cobalt copper coral crane delta ember fern " +
  "flint forge gable garnet glade granite grove harbor hazel heron iris ivory jade juniper kelp lark larch lumen maple " +
  "marsh meadow mica moss oak onyx opal orchid otter pebble pine quartz raven reed ridge river rowan sable sage slate " +
  "spruce stone summit thistle timber topaz tundra umber vale walnut willow wren yarrow zephyr"
).split(" ");
