import { quoted } from "./problem.js";
import { shownPath, type TomlPath, type TomlReader } from "./toml-reader.js";
import { isVersion } from "./version-forms.js";

/** Refuses a version that could not stand in a file name or an address. */
export function checkVersion(reader: TomlReader, path: TomlPath, version: string): boolean {
  if (isVersion(version)) return true;
  const message = `expected letters, digits and . _ + ~ - for ${shownPath(path)}, found ${quoted(version)}`;
  reader.fault(path, { rule: "bad-version", message, hint: "a version goes into file names and addresses as it is" });
  return false;
}
