import { Buffer } from "node:buffer";

/** A value to print. Maps are objects too: their order holds even for names that look like numbers. */
export type GoJson =
  | null
  | boolean
  | number
  | string
  | readonly GoJson[]
  | ReadonlyMap<string, GoJson>
  | { readonly [name: string]: GoJson | undefined };

/** Characters that Go's encoding/json writes as `\uXXXX` though JSON would allow them: `<`, `>`, `&`, U+2028, U+2029. */
const htmlUnsafe = /[<>&\u2028\u2029]/g;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * JSON in the bytes of Go's `encoding/json` (IM-10): members in the order given and undefined ones left out, HTML
 * characters escaped, no newline at the end. With an indent it is `json.MarshalIndent(value, "", indent)`. Numbers are
 * integers. The form is that of Go 1.22 and later, which writes `\b` and `\f` and not `\u0008` and `\u000c`.
 */
export function renderGoJson(value: GoJson, indent = ""): Uint8Array {
  return Buffer.from(render(value, indent, "\n"), "utf8");
}

function render(value: GoJson, indent: string, newline: string): string {
  if (typeof value === "string") return renderString(value);
  if (value === null || typeof value !== "object") return String(value);
  const inner = newline + indent;
  const items = isList(value) ? value.map((item) => render(item, indent, inner)) : renderMembers(value, indent, inner);
  const [open, close] = isList(value) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  if (indent === "") return `${open}${items.join(",")}${close}`;
  return `${open}${inner}${items.join(`,${inner}`)}${newline}${close}`;
}

function isList(value: object): value is readonly GoJson[] {
  return Array.isArray(value);
}

function renderMembers(value: object, indent: string, newline: string): string[] {
  const items: string[] = [];
  const members = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [name, member] of members as Iterable<[string, GoJson | undefined]>) {
    if (member === undefined) continue;
    items.push(`${renderString(name)}:${indent === "" ? "" : " "}${render(member, indent, newline)}`);
  }
  return items;
}

function renderString(text: string): string {
  return JSON.stringify(text.replace(loneSurrogate, "\ufffd")).replace(htmlUnsafe, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
