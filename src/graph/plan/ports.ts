/** The words of EXPOSE, as Docker reads them: `[[IP:]HOST:]PORT[-PORT][/PROTOCOL]`. */

export interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

const protocols: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);

/** What a word of EXPOSE means, or what is wrong with it. The host's part is checked and has no effect. */
export function parsePort(word: string): PortRange | { readonly problem: string } {
  const parts = word.split(":");
  const container = parts.at(-1) ?? "";
  const host = parts.length > 1 ? (parts.at(-2) ?? "") : "";
  const address = parts.slice(0, -2).join(":");
  if (address !== "" && !isAddress(address)) return { problem: `${JSON.stringify(address)} is no IP address` };
  const [port = "", protocol = ""] = container.split("/");
  const range = parseRange(port);
  if (range === undefined) return { problem: "a port is a number from 0 to 65535 or a range such as 7000-7010" };
  const hostRange = host === "" ? range : parseRange(host);
  if (hostRange === undefined) return { problem: `${JSON.stringify(host)} is no port of a host` };
  if (range.last > range.first && hostRange.last - hostRange.first !== range.last - range.first) {
    return { problem: "the two ranges differ in length" };
  }
  const name = (protocol === "" ? "tcp" : protocol).toLowerCase();
  return protocols.has(name) ? { ...range, protocol: name } : { problem: "the protocol is tcp, udp or sctp" };
}

/** The ports of a range, each as `80/tcp`. */
export function portsOf(range: PortRange): readonly string[] {
  return Array.from({ length: range.last - range.first + 1 }, (_, n) => `${range.first + n}/${range.protocol}`);
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const [low = "", high = low] = text.split("-");
  const first = parseNumber(low);
  const last = parseNumber(high);
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
}

function parseNumber(text: string): number | undefined {
  return /^[0-9]+$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

function isAddress(text: string): boolean {
  const octets = text.split(".");
  if (octets.length === 4) return octets.every((octet) => /^(?:0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) < 256);
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  return /^[0-9a-fA-F:.]+$/.test(bare) && bare.includes(":") && URL.canParse(`http://[${bare}]/`);
}
