import { join } from "node:path/posix";

import type { FileSystem } from "../../base/index.js";
import { StagewrightError, hexOf, isDigest } from "../../base/index.js";
import type { LayoutFiles } from "../layout/index.js";
import { readLayout } from "../layout/index.js";
import type { ImageFinding } from "./validate-image.js";
import { validateImages } from "./validate-image.js";

/**
 * Everything that is wrong with a layout, by computing every digest, size and diff id again: an empty list when all is
 * proven. Blobs that nothing leads to are findings too, since the layouts written here have none.
 */
export async function validateLayout(
  folder: string,
  files: LayoutFiles & Pick<FileSystem, "readdirSync">,
): Promise<readonly ImageFinding[]> {
  try {
    const layout = readLayout(folder, files);
    const { findings, reached } = await validateImages(layout.index.manifests, layout);
    return [...findings, ...strayBlobs(folder, files, reached)];
  } catch (error) {
    if (!(error instanceof StagewrightError)) throw error;
    return [{ code: error.code, subject: error.subject ?? folder, message: error.message }];
  }
}

function strayBlobs(
  folder: string,
  files: Pick<FileSystem, "readdirSync">,
  reached: ReadonlySet<string>,
): readonly ImageFinding[] {
  const blobs = join(folder, "blobs", "sha256");
  const expected = new Set([...reached].filter(isDigest).map(hexOf));
  return files
    .readdirSync(blobs)
    .filter((name) => !expected.has(name))
    .map((name) => ({
      code: "stray-blob",
      subject: join(blobs, name),
      message: "expected a blob that a manifest names",
    }));
}
