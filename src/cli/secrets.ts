import { malformed } from "../base/index.js";
import { resolvePath } from "./paths.js";

/**
 * The files of `--secret id=ID,src=FILE`, by id. Nothing in a value is passed over: a word that means nothing here may be
 * half of a path with a comma, and then another file would be read.
 * @param folder where relative paths start
 * @throws malformed `bad-secret`
 */
export function parseSecrets(values: readonly string[], folder: string): Readonly<Record<string, string>> {
  const secrets = new Map<string, string>();
  for (const value of values) {
    const { id, source } = parseSecret(value);
    if (secrets.has(id)) throw refused(value, `two secrets have the id ${JSON.stringify(id)}`);
    secrets.set(id, resolvePath(folder, source));
  }
  return Object.fromEntries(secrets);
}

const names: ReadonlyMap<string, string> = new Map([
  ["id", "id"],
  ["src", "src"],
  ["source", "src"],
  ["type", "type"],
]);

function parseSecret(value: string): { readonly id: string; readonly source: string } {
  const fields = new Map<string, string>();
  for (const field of value.split(",")) {
    const equals = field.indexOf("=");
    const name = names.get(field.slice(0, Math.max(0, equals)));
    if (name === undefined) throw refused(value, `${JSON.stringify(field)} is none of id=, src= and type=`);
    if (fields.has(name)) throw refused(value, `${name} stands in it twice`);
    fields.set(name, field.slice(equals + 1));
  }
  const id = fields.get("id") ?? "";
  const source = fields.get("src") ?? "";
  if (id === "") throw refused(value, "it has no id");
  if (source === "") throw refused(value, "it has no file");
  if ((fields.get("type") ?? "file") !== "file") throw refused(value, "only files can be secrets here");
  return { id, source };
}

function refused(value: string, found: string): Error {
  return malformed({
    code: "bad-secret",
    message: `expected id=ID,src=FILE, found ${JSON.stringify(value)}: ${found}`,
    subject: "--secret",
  });
}
