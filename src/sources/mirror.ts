import type { Mirror } from "../tree/index.js";

/** The mirror as one text, for messages and reports; it never holds a password. */
export function renderMirror(mirror: Mirror): string {
  switch (mirror.kind) {
    case "http":
    case "https":
      return withoutPassword(mirror.url);
    case "file":
      return `file:${mirror.path}`;
    case "apt-source":
      return `apt-source:${mirror.source}=${mirror.version}/${mirror.file}`;
  }
}

function withoutPassword(url: string): string {
  if (!hasPassword(url)) return url;
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

/** Whether a web address carries a user or a password, which would be for every reader of the tree to see. */
export function hasPassword(url: string): boolean {
  const parsed = new URL(url);
  return parsed.username !== "" || parsed.password !== "";
}

/** What downloads are counted by, so that no server gets too many at once. */
export function hostOf(mirror: Mirror): string {
  if (mirror.kind === "apt-source" || mirror.kind === "file") return mirror.kind;
  return new URL(mirror.url).host;
}

/** The path of a `file:` mirror; percent signs are escapes where they can be read as such. */
export function pathOfFileMirror(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a percent sign that is no escape stands for itself
  }
}
