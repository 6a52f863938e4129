import { describe, expect, it } from "vitest";

import { backOff, defaultRetryPolicy, isPassing, parseRetryAfter } from "./retry.js";

describe("backOff", () => {
  it("doubles up to the longest", () => {
    const delays = [1, 2, 3, 7, 8, 1000].map((failures) => backOff(defaultRetryPolicy, failures));
    expect(delays).toEqual([500, 1000, 2000, 30_000, 30_000, 30_000]);
  });
});

describe("parseRetryAfter", () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);
  it.each([
    [undefined, 0],
    ["5", 5000],
    ["0", 0],
    ["100000", 60_000],
    ["Thu, 01 Jan 2026 12:00:20 GMT", 20_000],
    ["Thu, 01 Jan 2026 11:00:00 GMT", 0],
    ["-3", 0],
    ["soon", 0],
    ["9".repeat(1000), 0],
  ])("%s", (raw, delay) => {
    expect(parseRetryAfter(raw, now)).toBe(delay);
  });
});

it("isPassing", () => {
  expect([408, 425, 429, 500, 502, 503, 504].every(isPassing)).toBe(true);
  expect([400, 401, 403, 404, 410, 451, 501, 505, 304].some(isPassing)).toBe(false);
});
