import { malformed } from "../base/index.js";

/** An OCI platform. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const platformForm = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/(v[0-9]+))?$/;

/** @throws malformed `bad-platform` for anything but `OS/ARCHITECTURE[/VARIANT]`. */
export function parsePlatform(raw: string, subject?: string): Platform {
  const match = platformForm.exec(raw);
  if (match === null) {
    throw malformed({
      code: "bad-platform",
      message: `expected OS/ARCHITECTURE such as linux/amd64, found ${JSON.stringify(raw.slice(0, 100))}`,
      subject,
    });
  }
  const [, os = "", architecture = "", variant] = match;
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

export function renderPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}
