/**
 * Names of images, brought to the one form under which BuildKit looks up named contexts: Docker's familiar name
 * without `:latest`. Source: the reference grammar of the distribution project.
 */

const component = "[a-z0-9]+(?:(?:\\.|_|__|-{1,255})[a-z0-9]+)*";
const grammar = new RegExp(
  `^(${component}(?:/${component})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}))?$`,
);
const domainForm =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?$/;
/** The reference grammar allows 255 bytes of name; a tag and a digest come on top. */
const longest = 1024;

/** The familiar form of an image name, or undefined when it is no image name. */
export function familiarImageName(raw: string): string | undefined {
  if (raw.length > longest || /^[0-9a-f]{64}$/.test(raw)) return undefined;
  const { domain, rest } = splitDomain(raw);
  if (domain !== undefined && !domainForm.test(domain)) return undefined;
  const match = grammar.exec(rest);
  if (match === null) return undefined;
  const [, path = "", tag, digest] = match;
  const name = domain === undefined ? path.replace(/^library\/([^/]+)$/, "$1") : `${domain}/${path}`;
  const tagged = tag === undefined || (tag === "latest" && digest === undefined) ? name : `${name}:${tag}`;
  return digest === undefined ? tagged : `${tagged}@${digest}`;
}

/** Domain undefined means Docker's own registry, which familiar names leave out. */
function splitDomain(raw: string): { domain: string | undefined; rest: string } {
  const slash = raw.indexOf("/");
  const first = raw.slice(0, Math.max(slash, 0));
  const isDomain = slash > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  if (!isDomain) return { domain: undefined, rest: raw };
  const rest = raw.slice(slash + 1);
  return first === "docker.io" || first === "index.docker.io" ? { domain: undefined, rest } : { domain: first, rest };
}
