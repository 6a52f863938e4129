import type { VersionForms } from "./version-forms.js";

/** Names that may stand in braces in `file` and `mirrors`. */
export const placeholderNames = [
  "version",
  "version_major",
  "version_major_minor",
  "version_dash",
  "version_under",
  "version_strip_suffix",
  "format",
  "file",
] as const;

export type PlaceholderName = (typeof placeholderNames)[number];

/** What the placeholders of one source stand for. */
export interface PlaceholderValues {
  readonly version: VersionForms | undefined;
  readonly format: string | undefined;
  readonly file: string | undefined;
}

/** The parts of a template: texts, and placeholders by the name in their braces (known or not). */
export type TemplatePart = { readonly text: string } | { readonly placeholder: string };

/** Splits at `{…}`. A brace without its partner is a placeholder named by the rest of the text, so that it is refused. */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{", at);
    const text = template.slice(at, open === -1 ? undefined : open);
    const stray = text.indexOf("}");
    const close = open === -1 ? -1 : template.indexOf("}", open);
    if (stray !== -1 || (open !== -1 && close === -1)) return [...parts, { placeholder: template.slice(at) }];
    if (text !== "") parts.push({ text });
    if (open === -1) break;
    parts.push({ placeholder: template.slice(open + 1, close) });
    at = close + 1;
  }
  return parts;
}

/** Placeholders of a template, in order, repeats included. */
export function placeholdersOf(template: string): readonly string[] {
  return parseTemplate(template).flatMap((part) => ("placeholder" in part ? [part.placeholder] : []));
}

export function isPlaceholderName(name: string): name is PlaceholderName {
  return (placeholderNames as readonly string[]).includes(name);
}

/** The template with its placeholders replaced, or the name of the first one that has no value. */
export function expandTemplate(
  template: string,
  values: PlaceholderValues,
): { readonly text: string } | { readonly missing: string } {
  let text = "";
  for (const part of parseTemplate(template)) {
    if ("text" in part) text += part.text;
    else {
      const value = isPlaceholderName(part.placeholder) ? placeholderValue(part.placeholder, values) : undefined;
      if (value === undefined) return { missing: part.placeholder };
      text += value;
    }
  }
  return { text };
}

function placeholderValue(name: PlaceholderName, values: PlaceholderValues): string | undefined {
  switch (name) {
    case "version":
      return values.version?.version;
    case "version_major":
      return values.version?.major;
    case "version_major_minor":
      return values.version?.majorMinor;
    case "version_dash":
      return values.version?.dash;
    case "version_under":
      return values.version?.under;
    case "version_strip_suffix":
      return values.version?.stripSuffix;
    case "format":
      return values.format;
    case "file":
      return values.file;
  }
}
