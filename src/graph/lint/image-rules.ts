/** Rules about the images that a Containerfile builds on. */
import { parseTargetId, quoted, targetId, type StageName } from "../../tree/index.js";
import { treeImageReader } from "../tree/tree-image.js";
import type { ImageUse } from "../tree/tree-package.js";
import type { LintFinding, LintPackage, LintRule } from "./rule.js";

/** What a stage may be built from: itself and what lies below it, so that the bootstrap never stands on its results. */
const mayUse: Readonly<Record<StageName, readonly StageName[]>> = {
  bootstrap: ["bootstrap"],
  core: ["bootstrap", "core"],
  pallet: ["bootstrap", "core", "pallet"],
  user: ["bootstrap", "core", "pallet", "user"],
};

export const layering: LintRule = {
  id: "layering",
  severity: "error",
  title: "a package is built from packages of its own stage or below: bootstrap, core, pallet, user",
  check: (input) =>
    imagesOf(input).flatMap((use) => {
      const target = treeImageReader(input.config.prefix)(use.image)?.target;
      const used = target === undefined ? undefined : parseTargetId(target)?.stage;
      const { stage } = input.package;
      if (target === undefined || used === undefined || mayUse[stage].includes(used)) return [];
      const message = `a ${stage} package may use ${mayUse[stage].join(", ")}, found ${target}`;
      return [inContainerfile(use, message, `use a package of ${mayUse[stage].join(" or ")}, or move this one`)];
    }),
};

export const treeImagePin: LintRule = {
  id: "tree-image-pin",
  severity: "warning",
  title: "an image of the tree has no tag and no digest: it is the one built here",
  check: (input) =>
    imagesOf(input).flatMap((use) => {
      const image = treeImageReader(input.config.prefix)(use.image);
      if (image?.pin === undefined) return [];
      const message = `expected ${image.target} without tag or digest, found ${quoted(image.pin)}`;
      return [inContainerfile(use, message, "take it away: nothing is pulled, so it has no effect")];
    }),
};

export const outsideImage: LintRule = {
  id: "outside-image",
  severity: "warning",
  title: "every image comes from the tree itself",
  check: (input) =>
    imagesOf(input).flatMap((use) => {
      if (treeImageReader(input.config.prefix)(use.image) !== undefined) return [];
      const message = `expected an image of the tree (${input.config.prefix}/STAGE-NAME), found ${quoted(use.image)}`;
      return [inContainerfile(use, message, "make it a package, or give it as a named context when you build")];
    }),
};

export const stageName: LintRule = {
  id: "stage-name",
  severity: "error",
  title: "the last stage is not named for another package",
  check: (input) => {
    const last = input.file.stages.at(-1);
    const name = last?.from.stage;
    if (last === undefined || name === undefined) return [];
    const { package: pkg } = input;
    const own = new Set([pkg.name, ...pkg.subpackages]);
    const claimed = /^package-(.+)$/.exec(name)?.[1];
    const stages = (["bootstrap", "core", "pallet", "user"] as const).filter((stage) =>
      input.targetIds.has(targetId(stage, name)),
    );
    const other = claimed === undefined ? stages.length > 0 && !own.has(name) : !own.has(claimed);
    if (!other) return [];
    const message = `expected the last stage to be named package or for ${pkg.name}, found ${quoted(name)}`;
    const hint = `write AS package, or ${claimed === undefined ? "another name" : "list it in subpackages"}`;
    return [{ in: "Containerfile", place: last.from.start, message, hint }];
  },
};

function imagesOf({ tree }: LintPackage): readonly ImageUse[] {
  const images = new Map<string, ImageUse>();
  for (const use of [...tree.targets.flatMap((target) => target.images), ...tree.unneeded]) {
    if (!images.has(use.image)) images.set(use.image, use);
  }
  return [...images.values()];
}

function inContainerfile(use: ImageUse, message: string, hint: string): LintFinding {
  return { in: "Containerfile", place: { line: use.line, column: use.column }, message, hint };
}
