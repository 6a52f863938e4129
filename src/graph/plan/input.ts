import type { Containerfile } from "../../tree/index.js";
import type { BaseImage } from "../definition.js";
import type { Platform } from "../platform.js";

/** What decides which stages and images a target needs. */
export interface StagesInput {
  readonly file: Containerfile;
  /** As messages name it. */
  readonly fileName: string;
  /** What `file` was parsed from, for messages. */
  readonly text: string;
  /** What the image is for: TARGETPLATFORM. */
  readonly platform: Platform;
  /** BUILDPLATFORM; the target's platform where it is left out. */
  readonly buildPlatform?: Platform;
  readonly buildArguments: ReadonlyMap<string, string>;
  /** Name or number of a stage; undefined for the last. */
  readonly targetStage: string | undefined;
  /** Local folders by name (`fetch`), names in familiar form: they win over stages and images of the same name. */
  readonly namedContexts: ReadonlySet<string>;
  /** Images by name that win over stages of the same name. Names of images that no stage can have need not be here. */
  readonly namedImages?: ReadonlySet<string>;
}

export interface PlanInput extends StagesInput {
  /**
   * Configuration and history of an image from outside the file, by familiar name (no `docker.io/library/`, no
   * `:latest`).
   * @throws StagewrightError for an unknown name.
   */
  readonly resolveImage: (name: string, platform: Platform) => BaseImage;
}
