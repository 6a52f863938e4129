import { describe, expect, it } from "vitest";

import { planText } from "../../../test/support/plan-text.js";
import { StagewrightError } from "../../base/index.js";

const url = "https://h/f";
const sum = `sha256:${"0".repeat(64)}`;

/** Text, code, place. */
const refused: readonly (readonly [string, string, string])[] = [
  ["FROM $NONE\n", "empty-base-name", "1:6"],
  ["FROM base/Upper\n", "bad-image-name", "1:6"],
  ["FROM scratch AS low\nCOPY a /\nFROM LOW\n", "bad-image-name", "3:6"],
  ["FROM fetch\n", "base-is-folder", "1:6"],
  ["FROM scratch AS fetch\n", "target-is-folder", "1:1"],
  ["FROM --platform=windows/amd64 base/x\n", "bad-platform", "1:1"],
  ["FROM --platform=$NONE base/x\n", "bad-platform", "1:1"],
  ["FROM scratch\nCOPY --from=5 a /\n", "unknown-stage", "2:6"],
  ["FROM scratch\nCOPY --from=-1 a /\n", "unknown-stage", "2:6"],
  ["FROM scratch\nCOPY --from=0 a /\n", "stage-used-before-definition", "2:1"],
  ["FROM scratch AS a\nCOPY --from=a a /\n", "stage-used-before-definition", "2:1"],
  [
    "FROM scratch\nCOPY --from=b a /\nFROM scratch AS b\nFROM scratch\nCOPY --from=0 x /\n",
    "stage-used-before-definition",
    "2:1",
  ],
  [
    "FROM scratch\nRUN --mount=from=b,target=/b x\nFROM scratch AS b\nFROM scratch\nCOPY --from=0 x /\n",
    "stage-used-before-definition",
    "2:1",
  ],
  ["FROM other/x\n", "unknown-image", "1:6"],
  ["FROM scratch\nCOPY --from=other/x a /\n", "unknown-image", "2:6"],
  ["FROM scratch\nCOPY --chmod=u+x a /\n", "bad-chmod", "2:6"],
  ["FROM scratch\nCOPY --chmod=10000 a /\n", "bad-chmod", "2:6"],
  [`FROM scratch\nADD ${url} /\n`, "url-without-checksum", "2:1"],
  [`FROM scratch\nADD --checksum=sha256:ab ${url} /\n`, "bad-checksum", "2:5"],
  [`FROM scratch\nADD --checksum=${sum} ${url} ${url} /\n`, "checksum-without-url", "2:5"],
  [`FROM scratch\nADD --checksum=${sum} a /\n`, "checksum-without-url", "2:5"],
  [`FROM scratch\nADD --checksum=${sum} https://h/a/.. /\n`, "bad-download-name", "2:1"],
  [`FROM scratch\nCOPY ${url} /\n`, "copy-of-url", "2:1"],
  ["FROM scratch\nADD https://h/r.git#v1 /\n", "git-source", "2:1"],
  [`FROM scratch\nADD --checksum=${sum} https://h/r.git /\n`, "git-source", "2:1"],
  ["FROM scratch\nADD git@h.example:r /\n", "git-source", "2:1"],
  ["FROM scratch\nADD git://h/r /\n", "git-source", "2:1"],
  ["FROM scratch\nCOPY sub/x.git /\n", "git-source", "2:1"],
  ["FROM scratch\nCOPY <<a/b /\nx\na/b\n", "bad-heredoc-name", "2:1"],
  ["FROM scratch\nSTOPSIGNAL SIGNONE\n", "bad-stop-signal", "2:1"],
  ["FROM scratch\nSTOPSIGNAL 0\n", "bad-stop-signal", "2:1"],
  ["FROM scratch\nEXPOSE 65536\n", "bad-port", "2:1"],
  ["FROM scratch\nEXPOSE 80/icmp\n", "bad-port", "2:1"],
  ["FROM scratch\nEXPOSE 9-8\n", "bad-port", "2:1"],
  ["FROM scratch\nVOLUME $NONE\n", "empty-volume", "2:1"],
  ["FROM scratch\nRUN --mount=type=bind,target=/ x\n", "mount-over-root", "2:5"],
  ["FROM scratch\nARG T=nope\nRUN --mount=type=$T,target=/a x\n", "bad-mount", "3:5"],
  ["FROM scratch\nENV A=${B?needed}\n", "variable-required", "2:1"],
];

describe("refusals", () => {
  it.each(refused)("%j: %s at %s", (text, code, place) => {
    let thrown: unknown;
    try {
      planText(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StagewrightError);
    if (!(thrown instanceof StagewrightError)) return;
    expect({ kind: thrown.kind, code: thrown.code, subject: thrown.subject }).toEqual({
      kind: "malformed",
      code,
      subject: `Containerfile:${place}`,
    });
    const [line = "", column = ""] = place.split(":");
    const [, shown, caret] = thrown.message.split("\n");
    expect(shown).toBe(` ${line} | ${text.split("\n")[Number(line) - 1] ?? ""}`);
    expect(caret).toBe(`   | ${" ".repeat(Number(column) - 1)}^`);
    expect(thrown.hint).toMatch(/\S/);
  });

  it("names the stages where the target is none of them", () => {
    expect(() => planText("FROM scratch AS package-a\n", { target: "package-b" })).toThrow(
      /expected a stage named "package-b", found package-a/,
    );
  });

  it("refuses another host name of the sandbox", () => {
    expect(() => planText("FROM scratch\n", { args: { BUILDKIT_SANDBOX_HOSTNAME: "me" } })).toThrow(/buildkitsandbox/);
  });

  it("does not look into unneeded stages", () => {
    const text = "FROM other/x AS a\nADD https://h/f /\nSTOPSIGNAL none\nFROM scratch AS b\nCOPY x /\n";
    expect(planText(text, { target: "b" }).steps).toHaveLength(1);
  });
});
