import { quoted } from "./problem.js";

/** A mirror of a source, after its placeholders were replaced. */
export type Mirror =
  | { readonly kind: "http" | "https"; readonly url: string }
  /** A folder or file of this machine, for copies that are carried by hand; `path` is absolute. */
  | { readonly kind: "file"; readonly path: string }
  /** A file of a Debian source package, asked of the machine's own apt. */
  | { readonly kind: "apt-source"; readonly source: string; readonly version: string; readonly file: string };

interface MirrorFault {
  readonly rule: string;
  readonly message: string;
  readonly hint: string;
}

const forms = "http://, https://, file:/… or apt-source:SOURCE=VERSION/FILE";
const aptForm = /^apt-source:([a-z0-9][a-z0-9.+-]*)=([A-Za-z0-9.+~:-]+)\/([A-Za-z0-9][A-Za-z0-9._+~%:-]*)$/;

/** The mirror that an address without placeholders means, or undefined when it is none of the four kinds. */
export function parseMirror(address: string): Mirror | undefined {
  const scheme = /^[a-z-]+(?=:)/i.exec(address)?.[0].toLowerCase();
  if (/[\s\\"<>^`|]/.test(address) || address.length > 4096) return undefined;
  switch (scheme) {
    case "http":
    case "https":
      return isWebAddress(address) ? { kind: scheme, url: address } : undefined;
    case "file": {
      const path = address.slice("file:".length).replace(/^\/\/(?=\/)/, "");
      return path.startsWith("/") && !path.startsWith("//") ? { kind: "file", path } : undefined;
    }
    case "apt-source": {
      const [, source, version, file] = aptForm.exec(address) ?? [];
      if (source === undefined || version === undefined || file === undefined) return undefined;
      return { kind: "apt-source", source, version, file };
    }
    default:
      return undefined;
  }
}

function isWebAddress(address: string): boolean {
  return URL.canParse(address) && /^https?:\/\/[^/?#]+/i.test(address);
}

// Nearly every mirror of a real tree: told in one test, since a tree has thousands.
const plainForm =
  /^https?:\/\/[a-z0-9][a-z0-9.-]*\/(?:[A-Za-z0-9._~%/+?=;&-]|\{(?:version(?:_(?:major|major_minor|dash|under|strip_suffix))?|file|format)\})*$/;

/** The fault of a mirror's template, if it has one. Its placeholders are known by then. */
export function checkMirror(template: string): MirrorFault | undefined {
  if (plainForm.test(template)) return undefined;
  const address = template.replace(/\{[a-z_]+\}/g, "0");
  if (parseMirror(address) !== undefined) return undefined;
  return {
    rule: "bad-mirror",
    message: `expected an address that begins with ${forms}, found ${quoted(template)}`,
    hint: "write the whole address, with blanks as %20",
  };
}
