const schemeForm = /^([a-zA-Z0-9]+):\/\//;
const scpForm = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/;

/**
 * Whether BuildKit takes a source of COPY or ADD for a git repository. A plain path counts too when a folder of it is
 * named `*.git` at the end (`sub/x.git`), unless it begins with `./` or `../`.
 */
export function isGitAddress(source: string): boolean {
  if (/^(?:\.{1,2}|github\.com)\//.test(source)) return false;
  const scheme = schemeForm.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return scpForm.test(source) || pathOf(source).endsWith(".git");
  if (scheme === "git" || scheme === "ssh") return true;
  return isHttp(scheme) && pathOf(source.slice(scheme.length + "://".length)).endsWith(".git");
}

function isHttp(scheme: string): boolean {
  return scheme === "http" || scheme === "https";
}

/** From the first slash on, without query and fragment. */
function pathOf(source: string): string {
  const bare = source.split(/[?#]/, 1)[0] ?? "";
  const slash = bare.indexOf("/");
  return slash < 0 ? "" : bare.slice(slash);
}

/** Whether a source of ADD is downloaded. BuildKit wants the scheme in lower case. */
export function isUrl(source: string): boolean {
  return source.startsWith("http://") || source.startsWith("https://");
}

/** Name of the file that a download is saved as; undefined where the URL's path gives none that is safe. */
export function downloadName(url: string): string | undefined {
  const path = pathOf(url.slice(url.indexOf("://") + "://".length));
  const decoded = decode(path);
  if (decoded === undefined) return "__unnamed__";
  const name = decoded.replace(/\/+$/, "").split("/").at(-1) ?? "";
  if (name === "" || name === ".") return "__unnamed__";
  return name === ".." || name.includes("\0") ? undefined : name;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
