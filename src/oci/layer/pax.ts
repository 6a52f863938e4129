import { Buffer } from "node:buffer";

import type { ByteString } from "../../base/index.js";
import { malformed } from "../../base/index.js";

const longestLengthField = 20;
const maxSecondsDigits = 16;

/** One PAX record, `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
export function renderPaxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/**
 * Seconds (rounded down) and nanoseconds as PAX writes a time: decimal, no zeros at the end, a negative time counted
 * from zero downwards.
 */
export function renderPaxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const negative = seconds < 0;
  const whole = negative ? -(seconds + 1) : seconds;
  const fraction = negative ? 1_000_000_000 - nanoseconds : nanoseconds;
  return `${negative ? "-" : ""}${whole}.${String(fraction).padStart(9, "0")}`.replace(/0+$/, "");
}

/** A PAX time as seconds rounded down and nanoseconds; digits beyond the ninth are dropped. Undefined when it is none. */
export function parsePaxTime(raw: string): { readonly seconds: number; readonly nanoseconds: number } | undefined {
  const match = /^(-?)([0-9]{1,16})(?:\.([0-9]{0,64}))?$/.exec(raw);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = ""] = match;
  const seconds = Number(whole);
  if (whole.length > maxSecondsDigits || !Number.isSafeInteger(seconds)) return undefined;
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanoseconds };
  // Adding zero turns -0 into 0.
  if (nanoseconds === 0) return { seconds: 0 - seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/**
 * The records of a PAX extended header; a later record of the same key wins.
 * @throws malformed `bad-pax-record`
 */
export function parsePaxRecords(data: Uint8Array, subject: string): Map<string, ByteString> {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
  const records = new Map<string, ByteString>();
  let at = 0;
  while (at < text.length) {
    const blank = text.indexOf(" ", at);
    const digits = blank < 0 || blank - at > longestLengthField ? "" : text.slice(at, blank);
    const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : -1;
    const equals = text.indexOf("=", blank);
    if (end < 0 || end > text.length || text[end - 1] !== "\n" || equals < 0 || equals >= end || equals === blank + 1) {
      throw malformed({
        code: "bad-pax-record",
        message: `expected LENGTH KEY=VALUE and a newline at byte ${at} of a PAX header, found ${JSON.stringify(text.slice(at, at + 40))}`,
        subject,
        hint: "the archive is damaged or was made by a faulty program",
      });
    }
    records.set(text.slice(blank + 1, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}
