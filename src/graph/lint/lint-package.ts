import type { Problem } from "../../tree/index.js";
import { layering, outsideImage, stageName, treeImagePin } from "./image-rules.js";
import {
  argumentValue,
  builderHistory,
  relativeEntrypoint,
  runNetwork,
  shellArguments,
  shellEntrypoint,
} from "./instruction-rules.js";
import type { LintPackage, LintRule } from "./rule.js";
import { archiveSuffix, argumentName, httpOnly, oneMirror, sameMirror } from "./source-rules.js";

/** Every rule of `check`, by id. */
export const lintRules: readonly LintRule[] = [
  archiveSuffix,
  argumentName,
  argumentValue,
  builderHistory,
  httpOnly,
  layering,
  oneMirror,
  outsideImage,
  relativeEntrypoint,
  runNetwork,
  sameMirror,
  shellArguments,
  shellEntrypoint,
  stageName,
  treeImagePin,
];

/** What the rules find in one package, before anything is silenced. */
export function lintPackage(input: LintPackage): readonly Problem[] {
  const { folder } = input.tree.place;
  return lintRules.flatMap(({ id, severity, check }) =>
    check(input).map(({ in: file, place, message, hint }) => ({
      rule: id,
      severity,
      file: `${folder}/${file}`,
      line: place.line,
      column: place.column,
      message,
      hint,
    })),
  );
}
