import { compareText } from "./bytes.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * JSON with members sorted by bytes and no blanks: one text for one value, for hashing. Undefined members are left out.
 * Shell twin: `jq -cS .`
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as Json)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const record = value as Readonly<Record<string, Json | undefined>>;
  let members = "";
  for (const name of Object.keys(record).sort(compareText)) {
    const member = record[name];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}
