import { malformed } from "../../base/index.js";

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Seconds since the epoch as Go prints a time: `1970-01-01T00:00:01Z`. */
export function renderCreated(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, -".000Z".length)}Z`;
}

/** A time no later than the epoch, as BuildKit clamps the times of a base image (IM-16). */
export function clampCreated(created: string | undefined, epochSeconds: number): string {
  const match = created === undefined ? null : rfc3339.exec(created);
  if (created === undefined || match === null) return renderCreated(epochSeconds);
  const [, whole = "", fraction = "", zone = ""] = match;
  const seconds = Date.parse(`${whole}${zone}`) / 1000;
  const later = seconds > epochSeconds || (seconds === epochSeconds && /[1-9]/.test(fraction));
  return later || Number.isNaN(seconds) ? renderCreated(epochSeconds) : created;
}

/** @throws malformed `bad-image-json` for a time that is not RFC 3339 */
export function checkCreated(raw: string | undefined, subject: string): string | undefined {
  if (raw === undefined || (rfc3339.test(raw) && !Number.isNaN(Date.parse(raw)))) return raw;
  throw malformed({
    code: "bad-image-json",
    message: `expected a time of RFC 3339, found ${JSON.stringify(raw.slice(0, 60))}`,
    subject,
  });
}
