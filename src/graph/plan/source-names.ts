import { flagValue, mountSource, type Instruction, type Position } from "../../tree/index.js";

export interface SourceName {
  readonly name: string;
  readonly position: Position;
}

/** What COPY's `--from` names; undefined for the build context. The flag is not expanded. */
export function copySourceName(instruction: Instruction): SourceName | undefined {
  if (instruction.keyword !== "COPY") return undefined;
  const name = flagValue(instruction, "from") ?? "";
  const position = instruction.flags.find((flag) => flag.name === "from")?.position ?? instruction.start;
  return name === "" ? undefined : { name, position };
}

/** What the `from` of RUN's mounts name; it is not expanded, whatever else in the flag is. */
export function mountSourceNames(instruction: Instruction): readonly SourceName[] {
  if (instruction.keyword !== "RUN") return [];
  return instruction.flags.flatMap(({ name: flag, value, position }) => {
    const name = flag === "mount" && value !== undefined ? mountSource(value) : undefined;
    return name === undefined || name === "" ? [] : [{ name, position }];
  });
}
