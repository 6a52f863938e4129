import { renderPlatform, type Platform } from "../platform.js";
import type { StagesInput } from "./input.js";
import type { Words } from "./words.js";

/** What FROM lines can use, and what an ARG without a value takes its value from. */
export interface GlobalScope {
  /** Undefined for an ARG that was declared and has no value. */
  readonly args: ReadonlyMap<string, string | undefined>;
  /** The same for expansion: what has no value is empty. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Platform arguments, then the ARGs before the first FROM; a build argument wins over both (rules PL-10 to PL-12). */
export function globalScope(input: StagesInput, words: Words): GlobalScope {
  const args = new Map<string, string | undefined>();
  const variables = new Map<string, string>();
  const declare = (name: string, value: string | undefined): void => {
    const final = input.buildArguments.get(name) ?? value;
    args.set(name, final);
    variables.set(name, final ?? "");
  };
  for (const [name, value] of platformArguments(input.platform, input.buildPlatform ?? input.platform)) {
    declare(name, value);
  }
  for (const { args: pairs, start } of input.file.globalArgs) {
    for (const { key, value } of pairs) {
      declare(key, value === undefined ? undefined : words.expand(value, variables, start));
    }
  }
  return { args, variables };
}

function platformArguments(target: Platform, build: Platform): readonly (readonly [string, string])[] {
  return [
    ["BUILDPLATFORM", renderPlatform(build)],
    ["BUILDOS", build.os],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", renderPlatform(target)],
    ["TARGETOS", target.os],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant ?? ""],
  ];
}
