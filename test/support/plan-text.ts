import { malformed } from "../../src/base/index.js";
import {
  parsePlatform,
  planTarget,
  requiredImages,
  type BaseImage,
  type RequiredImage,
  type TargetDefinition,
} from "../../src/graph/index.js";
import type { PlanInput } from "../../src/graph/index.js";
import { parseContainerfile } from "../../src/tree/index.js";

export interface PlanTextOptions {
  readonly args?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly target?: string;
  readonly images?: Readonly<Record<string, BaseImage>>;
  readonly contexts?: readonly string[];
  readonly namedImages?: readonly string[];
}

/** An image with a PATH of its own and one layer. */
export const plainImage: BaseImage = {
  config: { Env: ["PATH=/bin"], WorkingDir: "/" },
  history: [{ created_by: "COPY . /", comment: "", empty_layer: false }],
};

/** Plans the text of a Containerfile. Images are those of the options, or by default any of `base/*`. */
export function planText(text: string, options: PlanTextOptions = {}): TargetDefinition {
  return planTarget(inputOf(text, options));
}

export function requiredOf(text: string, options: PlanTextOptions = {}): readonly RequiredImage[] {
  return requiredImages(inputOf(text, options));
}

function inputOf(text: string, options: PlanTextOptions): PlanInput {
  return {
    file: parseContainerfile(text, "Containerfile"),
    fileName: "Containerfile",
    text,
    platform: parsePlatform(options.platform ?? "linux/amd64"),
    buildPlatform: parsePlatform("linux/amd64"),
    buildArguments: new Map(Object.entries(options.args ?? {})),
    targetStage: options.target,
    resolveImage: (name) => {
      const image = options.images?.[name] ?? (name.startsWith("base/") ? plainImage : undefined);
      if (image !== undefined) return image;
      throw malformed({ code: "unknown-image", message: `expected a known image, found ${name}` });
    },
    namedContexts: new Set(options.contexts ?? ["fetch"]),
    namedImages: new Set(options.namedImages ?? []),
  };
}
