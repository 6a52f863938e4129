/**
 * Containerfiles like those of a real tree in this format: a fetch stage, a build stage on many images of the tree,
 * heredocs with comments and continued lines, an install stage on scratch. The same seed gives the same text.
 */
export function realisticContainerfile(seed: number): string {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] ?? (items[0] as T);
  const name = pick(names);
  const lines: string[] = [];
  if (random() < 0.1) lines.push("# syntax=docker/dockerfile:1");
  if (random() < 0.2) lines.push("ARG VERSION", `ARG ${name.toUpperCase()}_FLAGS="-O2 -g0"`);
  lines.push(
    `FROM scratch AS base`,
    "ARG VERSION",
    `ENV VERSION=\${VERSION}`,
    `ENV SRC_FILE=${name}-\${VERSION}.tar.gz`,
  );
  if (random() < 0.4)
    lines.push(
      `ENV SRC_SITE="https://example.org/${name}" \\`,
      "    # where it is from",
      `    SRC_HASH=${"0123456789abcdef".repeat(4)}`,
    );
  lines.push("", "FROM base AS fetch", "ADD fetch/${SRC_FILE} .", "", "FROM fetch AS build");
  for (let count = 3 + Math.floor(random() * 8); count > 0; count--)
    lines.push(`COPY --from=stagex/${pick(stages)}-${pick(names)} . /`);
  lines.push(`RUN tar -xzf \${SRC_FILE}`, `WORKDIR ${name}-\${VERSION}`);
  if (random() < 0.3) lines.push("ADD *.patch .");
  lines.push(...script(pick, random, ["./configure --prefix=/usr", 'make -j"$(nproc)"']));
  if (random() < 0.3)
    lines.push(`COPY --chmod=0755 <<'EOF' /usr/bin/${name}-wrap`, "#!/bin/sh", `exec ${name} "$@" # $HOME`, "EOF");
  if (random() < 0.2) lines.push('SHELL ["/bin/sh", "-l", "-c"]', "RUN --network=none [ -e /usr ] && \\", "  true");
  lines.push("", "FROM build AS install", ...script(pick, random, ['make DESTDIR="/rootfs" install']));
  lines.push("", `FROM stagex/core-filesystem AS package-${name}`, "COPY --from=install /rootfs/. /");
  if (random() < 0.2) lines.push("USER 1000:1000", `ENTRYPOINT ["/usr/bin/${name}"]`, 'CMD ["--help"]');
  return lines.join("\n") + (random() < 0.02 ? "" : "\n");
}

const stages = ["bootstrap", "core", "pallet", "user"];
const names = [
  "binutils",
  "busybox",
  "clang",
  "curl",
  "gcc",
  "go",
  "libzstd",
  "make",
  "musl",
  "openssl",
  "perl",
  "zlib",
];

function script(
  pick: <T>(items: readonly T[]) => T,
  random: () => number,
  commands: readonly string[],
): readonly string[] {
  const body = ["set -eux"];
  if (random() < 0.3) body.push("# comments of the body are content", "");
  for (const command of commands)
    body.push(`${command} \\`, `  CFLAGS="$CFLAGS ${pick(["-O2", "-Os", "-fPIC"])}" \\`, "  LDFLAGS=-static");
  for (let count = Math.floor(random() * 6); count > 0; count--)
    body.push(`sed -i 's/${pick(names)}/\${x}/g' ${pick(names)}/Makefile`);
  if (random() < 0.3)
    return [
      `RUN --network=none ${body
        .filter((line) => !line.startsWith("#") && line !== "")
        .join("; \\\n    ")
        .replace(/\\; \\/g, "\\")}`,
    ];
  const dash = random() < 0.9;
  return [
    `RUN --network=none <<${dash ? "-" : ""}EOF`,
    ...body.map((line) => (dash ? `\t${line}` : line)),
    dash ? "\tEOF" : "EOF",
  ];
}

function createRandom(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
