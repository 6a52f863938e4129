/**
 * The fields of one CSV record, as Go's `encoding/csv` reads it: a field in double quotes may hold commas, and a double
 * quote written twice. A text names what is wrong.
 */
export function parseCsvRecord(text: string): readonly string[] | string {
  if (text === "") return "nothing";
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const field = text.charAt(at) === '"' ? readQuoted(text, at) : readPlain(text, at);
    if (typeof field === "string") return field;
    fields.push(field.value);
    if (field.end >= text.length) return fields;
    at = field.end + 1;
  }
}

interface Field {
  readonly value: string;
  /** Index of the comma after it, or the length of the text. */
  readonly end: number;
}

function readPlain(text: string, from: number): Field | string {
  const comma = text.indexOf(",", from);
  const end = comma < 0 ? text.length : comma;
  const value = text.slice(from, end);
  return value.includes('"') ? "a double quote inside a field" : { value, end };
}

function readQuoted(text: string, from: number): Field | string {
  let value = "";
  let at = from + 1;
  for (;;) {
    const mark = text.indexOf('"', at);
    if (mark < 0) return "no second double quote";
    value += text.slice(at, mark);
    if (text.charAt(mark + 1) !== '"') {
      const ends = mark + 1 >= text.length || text.charAt(mark + 1) === ",";
      return ends ? { value, end: mark + 1 } : "text after a double quote";
    }
    value += '"';
    at = mark + 2;
  }
}
