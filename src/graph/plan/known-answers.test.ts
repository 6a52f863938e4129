import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { planText } from "../../../test/support/plan-text.js";
import type { BaseImage, HistoryEntry } from "../index.js";

/** A configuration as an image holds it: ports and volumes are members of objects. */
interface RecordedImage {
  readonly author?: string;
  readonly config: Omit<BaseImage["config"], "ExposedPorts" | "Volumes"> & {
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Volumes?: Readonly<Record<string, object>>;
  };
  readonly history: readonly { readonly created_by: string; readonly empty_layer?: boolean }[];
}
interface RecordedCase extends RecordedImage {
  readonly name: string;
  readonly file: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly target?: string;
}
interface Recording {
  readonly provenance: { readonly buildkit: string };
  readonly images: Readonly<Record<string, RecordedImage>>;
  readonly cases: readonly RecordedCase[];
}

const recording = JSON.parse(readFileSync(new URL("known-answers.json", import.meta.url), "utf8")) as Recording;

function toImage({ author, config, history }: RecordedImage): BaseImage {
  const { ExposedPorts, Volumes, ...rest } = config;
  const entries = history.map(({ created_by, empty_layer = false }): HistoryEntry => ({
    created_by,
    comment: "buildkit.dockerfile.v0",
    empty_layer,
  }));
  return {
    ...(author !== undefined && { author }),
    config: {
      ...rest,
      ...(ExposedPorts && { ExposedPorts: Object.keys(ExposedPorts) }),
      ...(Volumes && { Volumes: Object.keys(Volumes) }),
    },
    history: entries,
  };
}

const images = Object.fromEntries(Object.entries(recording.images).map(([name, image]) => [name, toImage(image)]));
const settings = { SOURCE_DATE_EPOCH: "1", BUILDKIT_MULTI_PLATFORM: "1" };

describe(`configuration and history as recorded from BuildKit ${recording.provenance.buildkit}`, () => {
  it("has the cases", () => {
    expect(recording.cases.length).toBeGreaterThanOrEqual(35);
  });
  it.each(recording.cases.map((recorded) => [recorded.name, recorded] as const))("%s", (_name, recorded) => {
    const { file, args, platform, target } = recorded;
    const { author, config, history } = planText(file, {
      args: { ...settings, ...args },
      ...(platform !== undefined && { platform }),
      ...(target !== undefined && { target }),
      images,
    });
    expect({ ...(author !== undefined && { author }), config, history }).toEqual(toImage(recorded));
  });
});
