/** Characters that a terminal would act on, or that would reorder or hide the text around them. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;

/** `text` with each unprintable character replaced by one visible character, so that columns stay where they are. */
export function maskUnprintable(text: string): string {
  return text.replace(unprintable, "\ufffd");
}
