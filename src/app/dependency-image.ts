/** The image of a built target, for those that stand on it: from the store, else from its layout. */
import type { FileSystem } from "../base/index.js";
import { hexOf, unavailable } from "../base/index.js";
import type { Engine, Platform } from "../graph/index.js";
import type { Store } from "../engines/index.js";
import { readImage, readLayout } from "../oci/index.js";
import type { KnownImage } from "./build-image.js";
import { readLayoutImage } from "./layout-image.js";
import type { TargetState } from "./target-state.js";
import { readBuiltImage } from "./target-state.js";

export interface DependencyRequest {
  readonly id: string;
  readonly state: TargetState;
  /** Folder of the target's layout, which may have what `gc` took from the store. */
  readonly layoutFolder: string;
  readonly platform: Platform;
}

/**
 * Layers are checked by their digests when they are used, wherever they come from.
 * @throws unavailable `dependency-gone` when neither store nor layout has the image
 */
export function dependencyImage(
  request: DependencyRequest,
  effects: { readonly store: Store; readonly files: FileSystem; readonly engine: Engine },
): KnownImage {
  const { layoutFolder, platform, state } = request;
  const { store, files, engine } = effects;
  const record = readBuiltImage(store, state.key);
  if (record === undefined) {
    const layout = readLayout(layoutFolder, files);
    if (readImage(layout, platform).descriptor.digest !== state.digest) throw gone(request);
    return readLayoutImage(layoutFolder, platform, files);
  }
  return {
    ...record.base,
    platform,
    layers: record.layers,
    blobPath: (layer) => {
      const path = engine.blobPath(layer);
      return files.existsSync(path) ? path : `${layoutFolder}/blobs/sha256/${hexOf(layer.digest)}`;
    },
  };
}

function gone({ id, state, layoutFolder }: DependencyRequest): Error {
  return unavailable({
    code: "dependency-gone",
    message: `expected the image ${state.digest} in the store or its layout, found it in neither`,
    subject: layoutFolder,
    hint: `build it again: stagewright build --no-cache ${id}`,
  });
}
