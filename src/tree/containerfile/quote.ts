/** Characters that a terminal would act on, or that would reorder or hide the text around them. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;
const longest = 100;

/** `text` between double quotes for a message: cut to 100 characters, with no character that a terminal would act on. */
export function quote(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  const visible = cut.replace(/["\\]/g, "\\$&").replace(unprintable, escapeCharacter);
  return `"${visible}"`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** `text` with each unprintable character replaced by one visible character, so that columns stay where they are. */
export function maskUnprintable(text: string): string {
  return text.replace(unprintable, "\ufffd");
}
