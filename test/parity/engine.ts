/** The one place where the parity suite meets the engine under test. */
import type { ParityCase } from "./case.js";

export interface BuildRequest {
  /** Platform, target, build arguments. The image is named `stagex/NAME:latest`, as docs/spec/parity.md gives the command. */
  readonly parityCase: ParityCase;
  readonly containerfile: string;
  /** The build context and the named ones: folders. */
  readonly context: string;
  readonly contexts: Readonly<Record<string, string>>;
  /** Named contexts that are images: OCI layouts, by the name that FROM and COPY use. */
  readonly images: Readonly<Record<string, string>>;
  /** Files, by secret id. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Where the OCI layout goes. */
  readonly output: string;
  /** A folder for the engine's store, shared by all cases. */
  readonly store: string;
}

export interface Built {
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly diffIds: readonly string[];
}

/** @throws StagewrightError when the build is refused. */
export async function buildCase(request: BuildRequest): Promise<Built> {
  throw new Error(`no engine is connected to the parity suite yet: ${request.parityCase.name}`);
}
