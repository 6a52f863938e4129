const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;
const longest = 64;
const largest = 2n ** 63n - 1n;

/**
 * A duration in the form of Go's `time.ParseDuration` (`1h30m`, `1.5s`, `0`) as nanoseconds, or undefined when it has
 * another form, or a value that a number does not hold exactly.
 */
export function parseDuration(text: string): number | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const body = text.slice(sign.length);
  if (body === "0") return 0;
  if (body === "" || body.length > longest) return undefined;
  let total = 0n;
  for (let at = 0; at < body.length;) {
    part.lastIndex = at;
    const match = part.exec(body);
    if (match === null) return undefined;
    const [whole, digits = "", fraction = "", unit = ""] = match;
    if (digits === "" && fraction === "") return undefined;
    const scale = units[unit] ?? 1n;
    total += BigInt(digits || "0") * scale + (BigInt(fraction || "0") * scale) / 10n ** BigInt(fraction.length);
    at += whole.length;
  }
  const value = Number(total);
  if (total > largest || BigInt(value) !== total) return undefined;
  return sign === "-" ? -value : value;
}
