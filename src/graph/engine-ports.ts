/** What an engine asks of the rest of the program. Engines know neither mirrors nor the source store. */
export type { ArchiveOpener, OpenedArchive } from "../base/index.js";
