/** `--build-context NAME=…`: folders and images from outside the tree, given by the user for this build. */
import type { FileSystem, Json } from "../base/index.js";
import { malformed } from "../base/index.js";
import type { ContextInput, Platform } from "../graph/index.js";
import { familiarImageName } from "../graph/index.js";
import { readContextStamp, readContextState } from "./context-state.js";
import { readIgnorePatterns } from "./ignore-file.js";
import type { KnownImage } from "./build-image.js";
import { readLayoutImage } from "./layout-image.js";

/** What the command line gives: a name and a folder, or `oci-layout://` and the folder of a layout. */
export interface NamedContext {
  /** Familiar form. */
  readonly name: string;
  readonly kind: "folder" | "layout";
  /** Absolute. */
  readonly folder: string;
}

const layoutScheme = "oci-layout://";

/** @throws malformed `bad-build-context` */
export function parseNamedContext(value: string, absolute: (path: string) => string): NamedContext {
  const equals = value.indexOf("=");
  const name = equals < 1 ? undefined : familiarImageName(value.slice(0, equals));
  const place = value.slice(equals + 1);
  if (name === undefined || place === "" || place === layoutScheme) {
    throw malformed({
      code: "bad-build-context",
      message: `expected NAME=FOLDER or NAME=oci-layout://FOLDER, found ${JSON.stringify(value)}`,
      subject: "--build-context",
    });
  }
  if (place.startsWith(layoutScheme)) {
    return { name, kind: "layout", folder: absolute(place.slice(layoutScheme.length)) };
  }
  return { name, kind: "folder", folder: absolute(place) };
}

/** The named contexts, read once for a build. */
export class NamedContexts {
  private readonly states = new Map<string, Json>();
  private readonly stamps = new Map<string, string>();
  private readonly read = new Map<string, KnownImage>();

  constructor(
    private readonly contexts: readonly NamedContext[],
    private readonly files: FileSystem,
    private readonly now: number,
  ) {}

  /** What they hold, for the key of a target. */
  identity(platform: Platform): Json {
    return this.contexts.map((context) => [context.name, this.identityOf(context, platform)]);
  }

  folders(): readonly (readonly [string, ContextInput])[] {
    return this.contexts
      .filter(({ kind }) => kind === "folder")
      .map(({ name, folder }) => {
        const ignore = readIgnorePatterns(folder, `${folder}/`, this.files);
        return [name, { folder, placed: [], ignore }];
      });
  }

  images(platform: Platform): readonly (readonly [string, KnownImage])[] {
    return this.contexts
      .filter(({ kind }) => kind === "layout")
      .map((context) => [context.name, this.imageOf(context, platform)]);
  }

  /** Whether nothing touched the folders since they were first read. */
  areUntouched(): boolean {
    return [...this.stamps].every(([folder, stamp]) => readContextStamp(folder, this.files) === stamp);
  }

  private identityOf(context: NamedContext, platform: Platform): Json {
    if (context.kind === "layout") {
      const { layers, config, history, author } = this.imageOf(context, platform);
      return [layers.map((layer) => layer.digest), config as Json, history as unknown as Json, author ?? null];
    }
    let state = this.states.get(context.folder);
    if (state === undefined) {
      const reading = readContextState(context.folder, this.files, undefined, this.now);
      state = reading.state.content;
      this.stamps.set(context.folder, reading.stamp);
      this.states.set(context.folder, state);
    }
    return state;
  }

  private imageOf(context: NamedContext, platform: Platform): KnownImage {
    const key = JSON.stringify([context.folder, platform]);
    let image = this.read.get(key);
    if (image === undefined) {
      image = readLayoutImage(context.folder, platform, this.files);
      this.read.set(key, image);
    }
    return image;
  }
}
