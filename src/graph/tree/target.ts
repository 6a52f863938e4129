import type { Package, StageName } from "../../tree/index.js";

/** One image of the tree. */
export interface Target {
  /** `STAGE-NAME` */
  readonly id: string;
  readonly stage: StageName;
  /** Name of the subpackage, or of the package itself. */
  readonly name: string;
  readonly package: Package;
  /** The stage of the Containerfile that makes it: `package-NAME` for a subpackage, undefined for the last stage. */
  readonly buildStage: string | undefined;
  /** With `version_from` followed. */
  readonly version: string | undefined;
  /** Ids of the targets whose images it is built from, sorted by bytes. */
  readonly dependencies: readonly string[];
  /** Id of the target whose version it takes, if that target exists. */
  readonly versionFrom: string | undefined;
}
