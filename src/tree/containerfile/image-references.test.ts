import { describe, expect, it } from "vitest";

import { imageReferences } from "./image-references.js";
import { parseContainerfile } from "./parser.js";

describe("imageReferences (CF-95)", () => {
  const text = `ARG TAG=1
ARG BASE="stagex/core-\${NAME:-musl}:\${TAG}"
ARG NAME
FROM scratch AS fetch
  from --platform=linux/386   \${BASE} \\
    AS build
COPY --chown=0:0 --from=stagex/core-gcc . /
COPY --from=FETCH a b
COPY --from=0 a b
COPY --from=fetch2 a b
RUN --mount=type=bind,from=stagex/core-make,target=/m --mount=type=cache,target=/c <<EOF
FROM not/an-image
COPY --from=not/this a b
EOF
FROM build
FROM \${UNSET}
FROM stagex/\${TARGETARCH}
FROM \${BAD
`;
  const references = imageReferences(parseContainerfile(text, "Containerfile"), { TAG: "2" }, { TARGETARCH: "amd64" });

  it("finds images and named contexts, and no stage, number or text of a heredoc", () => {
    expect(references.map((one) => [one.instruction, one.image, one.stage])).toEqual([
      ["FROM", "stagex/core-musl:2", 1],
      ["COPY", "stagex/core-gcc", 1],
      ["COPY", "fetch2", 1],
      ["RUN", "stagex/core-make", 1],
      ["FROM", undefined, 3],
      ["FROM", "stagex/amd64", 4],
      ["FROM", undefined, 5],
    ]);
  });

  it("gives their places", () => {
    expect(references.slice(0, 2).map((one) => one.position)).toEqual([
      { line: 5, column: 31 },
      { line: 7, column: 18 },
    ]);
  });

  it("takes a build argument over a default", () => {
    const file = parseContainerfile("ARG A=x\nFROM $A", "f");
    expect(imageReferences(file, { A: "y" })[0]?.image).toBe("y");
    expect(imageReferences(file, {})[0]?.image).toBe("x");
  });
});
