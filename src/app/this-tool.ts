import type { ReportTool } from "./fetch-report.js";

/** This program, as every report names it. The version is that of package.json; a test keeps them equal. */
export const thisTool: ReportTool = { name: "stagewright", version: "0.1.0" };
