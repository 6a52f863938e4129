import * as fs from "node:fs";

import type { FileSystem } from "../base/index.js";

/** The machine's own files. */
export const nodeFileSystem: FileSystem = fs;
