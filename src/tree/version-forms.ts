/** A version in the forms that mirrors and Containerfiles ask for. */
export interface VersionForms {
  readonly version: string;
  /** Dots become underscores: `74.2` gives `74_2`. */
  readonly under: string;
  /** Dots become dashes: `74.2` gives `74-2`. */
  readonly dash: string;
  /** What stands before the first dot. */
  readonly major: string;
  /** What stands before the second dot; the whole version where it has fewer dots. */
  readonly majorMinor: string;
  /** What stands before the last dash: `6.04-pre1` gives `6.04`; the whole version where it has none. */
  readonly stripSuffix: string;
}

export function versionForms(version: string): VersionForms {
  const parts = version.split(".");
  const dash = version.lastIndexOf("-");
  return {
    version,
    under: parts.join("_"),
    dash: parts.join("-"),
    major: parts[0] ?? version,
    majorMinor: parts.slice(0, 2).join("."),
    stripSuffix: dash === -1 ? version : version.slice(0, dash),
  };
}

const versionForm = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}$/;

/** Whether a text can be a version: it goes into file names, addresses and build arguments. */
export function isVersion(text: string): boolean {
  return versionForm.test(text);
}
