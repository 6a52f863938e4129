import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { planText } from "../../../test/support/plan-text.js";
import { canonicalJson } from "../../base/index.js";
import { stepIdentity } from "./step-identity.js";

function identities(text: string): readonly string[] {
  return planText(text).steps.map((step) => canonicalJson(stepIdentity(step)));
}

const instructions = [
  "ENV A=1",
  "RUN true",
  "RUN echo $A && \\\n echo two",
  "RUN <<E\n# content\n\nx\nE",
  "COPY a /",
  "COPY --from=s --chown=1 b* /x/",
  "COPY <<F /f\n# content\nF",
  "WORKDIR d",
  "RUN --mount=type=cache,from=s,target=/c x",
] as const;
const noise = fc.constantFrom("", "# comment\n", "\n", "  # indented\n\n");

describe("what identifies a step", () => {
  it("has no comment, blank line or place in it", () => {
    const lines = fc.array(fc.tuple(fc.constantFrom(...instructions), noise), { maxLength: 8 });
    fc.assert(
      fc.property(lines, noise, (body, head) => {
        const plain = body.map(([line]) => line).join("\n");
        const noisy = body
          .map(([line, comment]) => `${comment}${line.replace("&& \\\n", `&& \\\n# between\n`)}`)
          .join("\n");
        const stages = "FROM base/s AS s\n";
        expect(identities(`${stages}${head}FROM scratch\n${noisy}\n`)).toEqual(
          identities(`${stages}FROM scratch\n${plain}\n`),
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["RUN <<E\n# a\nE", "RUN <<E\n# b\nE"],
    ["COPY <<E /\n# a\nE", "COPY <<E /\n# b\nE"],
    ["RUN a", "RUN  a b"],
    ["RUN a", "RUN --network=none a"],
    ["COPY a /", "ADD a /"],
    ["COPY a /", "COPY --link a /"],
    ["COPY a /", "COPY --exclude=b a /"],
    ["COPY a /", "COPY a /."],
    ["RUN a", "USER 1\nRUN a"],
    ["RUN a", "ARG X=\nRUN a"],
    ["RUN --mount=type=cache,target=/c a", "RUN --mount=type=cache,target=/c,sharing=locked a"],
  ])("tells %j from %j", (one, other) => {
    const of = (line: string): readonly string[] => identities(`FROM scratch\n${line}\n`);
    expect(of(one).length).toBe(1);
    // The empty destination and `/.` are the root all the same.
    if (other === "COPY a /.") expect(of(one)).toEqual(of(other));
    else expect(of(one)).not.toEqual(of(other));
  });

  it("puts what the caller knows of a reference in its place", () => {
    const [, step] = planText("FROM base/x AS s\nRUN a\nFROM s\nCOPY --from=s a /\n").steps;
    expect(step && stepIdentity(step, (reference) => `key of ${reference.kind}`)).toMatchObject({
      base: "key of step",
      actions: [{ from: "key of step" }],
    });
  });
});
