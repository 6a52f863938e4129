import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parsePaxRecords, parsePaxTime, renderPaxRecord, renderPaxTime } from "./pax.js";

describe("PAX records", () => {
  it("count their own digits", () => {
    expect(renderPaxRecord("path", "a".repeat(90))).toBe(`99 path=${"a".repeat(90)}\n`);
    for (const length of [1, 89, 90, 91, 92, 93, 987, 988, 989, 990, 991]) {
      const record = renderPaxRecord("k", "v".repeat(length));
      expect(record.startsWith(`${record.length} k=`), `${length}`).toBe(true);
    }
  });

  it("are read as they were written", () => {
    const key = fc.stringMatching(/^[A-Za-z.]{1,20}$/);
    const value = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), (records) => {
        const text = records.map(([k, v]) => renderPaxRecord(k, v)).join("");
        expect(parsePaxRecords(Buffer.from(text, "latin1"), "x")).toEqual(new Map(records));
      }),
    );
  });

  it.each(["5 a=", "a", "0 a=b\n", "-1 a=b\n", "6 a=bc\n", "99 a=b\n", "5 =b\n", "5 ab\n", "6 a=b\n\n", "06 a=b\n"])(
    "refuses %j",
    (text) => {
      expect(() => parsePaxRecords(Buffer.from(text), "x")).toThrow(
        expect.objectContaining({ code: "bad-pax-record" }),
      );
    },
  );

  it("never end in anything but a map or an error of ours", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          parsePaxRecords(bytes, "x");
        } catch (error) {
          expect(error).toMatchObject({ kind: "malformed" });
        }
      }),
    );
  });
});

describe("PAX times", () => {
  // Known answers of Go's formatPAXTime.
  it.each([
    [0, 0, "0"],
    [1, 500_000_000, "1.5"],
    [-2, 500_000_000, "-1.5"],
    [-1, 1, "-0.999999999"],
    [-315_619_200, 0, "-315619200"],
    [1_350_244_992, 23_960_108, "1350244992.023960108"],
  ])("%d s and %d ns are %s", (seconds, nanoseconds, text) => {
    expect(renderPaxTime(seconds, nanoseconds)).toBe(text);
    expect(parsePaxTime(text)).toEqual({ seconds, nanoseconds });
  });

  it.each(["", "-", "1e3", "0x1", "1.5.2", " 1", "99999999999999999999", "1.-5"])("%j is none", (text) => {
    expect(parsePaxTime(text)).toBeUndefined();
  });
});
