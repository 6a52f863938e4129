import { malformed } from "../base/index.js";

/** An OCI platform. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectureAliases: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["aarch64", "arm64"],
  ["i386", "386"],
  ["armel", "arm/v6"],
  ["armhf", "arm/v7"],
]);

/** What may stand without an operating system. */
const bareArchitectures: ReadonlySet<string> = new Set([
  ...["386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x"],
  ...architectureAliases.keys(),
]);

/**
 * The platform that a `--platform` names (`linux/386`, or `386` alone), in the normal form of containerd: aliases
 * resolved, arm64 without `v8`, arm with `v7`. Undefined when it is none, or not of Linux.
 */
export function readPlatform(raw: string): Platform | undefined {
  const lower = raw.toLowerCase();
  const [os = "", name = "", variant = "", ...more] = (bareArchitectures.has(lower) ? `linux/${lower}` : lower).split(
    "/",
  );
  if (os !== "linux" || !/^[a-z0-9_-]+$/.test(name) || more.length > 0) return undefined;
  if (!/^(?:v?[0-9]+)?$/.test(variant)) return undefined;
  const [architecture = "", implied = ""] = (architectureAliases.get(name) ?? name).split("/");
  const number = (variant === "" ? implied : variant).replace(/^v/, "");
  return normalPlatform(architecture, number);
}

function normalPlatform(architecture: string, number: string): Platform {
  if (architecture === "arm") return { os: "linux", architecture, variant: `v${number === "" ? "7" : number}` };
  const plain = number === "" || architecture === "386" || (architecture === "arm64" && number === "8");
  return plain ? { os: "linux", architecture } : { os: "linux", architecture, variant: `v${number}` };
}

/**
 * As {@link readPlatform}.
 * @throws malformed `bad-platform` for anything but a platform of Linux
 */
export function parsePlatform(raw: string, subject?: string): Platform {
  const platform = readPlatform(raw);
  if (platform !== undefined) return platform;
  throw malformed({
    code: "bad-platform",
    message: `expected a platform of Linux such as linux/amd64, found ${JSON.stringify(raw.slice(0, 100))}`,
    subject,
    hint: "write linux/ARCHITECTURE, with /VARIANT where the architecture has several",
  });
}

/** `OS/ARCHITECTURE[/VARIANT]`, as the OCI image specification names them. */
export function renderPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/** Whether two platforms in normal form are one. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && (a.variant ?? "") === (b.variant ?? "");
}

/** 64-bit processors run their 32-bit forms too; containerd counts them as a match. */
const alsoServes: Readonly<Record<string, string>> = { amd64: "386", arm64: "arm" };

/** Whether what was made for platform `made` serves one who wants `wanted`: the same, or the 32-bit form of it. */
export function servesPlatform(wanted: Platform, made: Platform): boolean {
  if (samePlatform(wanted, made)) return true;
  return wanted.os === made.os && alsoServes[wanted.architecture] === made.architecture;
}
