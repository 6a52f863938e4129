/** Name and version of this program, as every report carries them. */
export interface ToolInfo {
  readonly name: string;
  readonly version: string;
}
