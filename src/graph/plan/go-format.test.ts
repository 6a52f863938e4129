import { describe, expect, it } from "vitest";

import { quoteNumber, quoteText, quoteTexts, renderDuration } from "./go-format.js";

/** Known answers: the documentation of Go's strconv, fmt and time, and the output of Go 1.19. */
describe("texts as Go prints them", () => {
  it.each([
    ["", '""'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ["\u0007\b\f\n\r\t\v'", '"\\a\\b\\f\\n\\r\\t\\v\'"'],
    ["\u0000\u001f\u007f", '"\\x00\\x1f\\x7f"'],
    ["é日🎉", '"é日🎉"'],
    ["\u0080\u00a0\u00ad\u2028\ufeff\ufffd", '"\\u0080\\u00a0\\u00ad\\u2028\\ufeff\ufffd"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("quotes %j", (text, quoted) => {
    expect(quoteText(text)).toBe(quoted);
  });

  it("quotes lists", () => {
    expect(quoteTexts([])).toBe("[]");
    expect(quoteTexts(["a", "b c"])).toBe('["a" "b c"]');
  });

  it.each([
    [0, "'\\x00'"],
    [10, "'\\n'"],
    [34, "'\"'"],
    [39, "'\\''"],
    [65, "'A'"],
    [92, "'\\\\'"],
    [0xd800, "'\ufffd'"],
    [0x7fffffff, "'\ufffd'"],
  ])("quotes the number %d as a character", (value, quoted) => {
    expect(quoteNumber(value)).toBe(quoted);
  });

  it.each([
    [0, "0s"],
    [1_000_000, "1ms"],
    [1_500_001, "1.500001ms"],
    [999_999_999, "999.999999ms"],
    [1_000_000_000, "1s"],
    [61_050_000_000, "1m1.05s"],
    [3_600_000_000_000, "1h0m0s"],
    [32_400_000_000_000_000, "9000h0m0s"],
  ])("prints %d ns", (nanoseconds, text) => {
    expect(renderDuration(nanoseconds)).toBe(text);
  });
});
