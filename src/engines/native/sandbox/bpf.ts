/**
 * Programs of the kernel's classic BPF, as seccomp takes them: an array of `struct sock_filter` (linux/filter.h) over
 * `struct seccomp_data` (linux/seccomp.h), in the machine's byte order, which is little-endian here.
 */

/** One instruction. `yes` and `no` are how many instructions a jump leaves out. */
export interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly value: number;
}

/** Offsets into `struct seccomp_data`. */
export const dataOffsets = { number: 0, architecture: 4, firstArgumentLow: 16, firstArgumentHigh: 20 } as const;

/** Offset of the lower half of an argument, from 0 to 5. */
export function argumentLow(index: number): number {
  return dataOffsets.firstArgumentLow + 8 * index;
}

/** Longest program that the kernel takes (BPF_MAXINSNS). */
export const longestProgram = 4096;

const codes = { load: 0x20, and: 0x54, jump: 0x05, equal: 0x15, atLeast: 0x35, give: 0x06 } as const;
const farthest = 255;

function instruction(code: number, value: number, yes = 0, no = 0): Instruction {
  return { code, yes, no, value };
}

/** Loads four bytes of `struct seccomp_data`. */
export function load(offset: number): Instruction {
  return instruction(codes.load, offset);
}

export function and(mask: number): Instruction {
  return instruction(codes.and, mask);
}

/** Ends the program. @param answer an action of seccomp, with the error number where it has one. */
export function give(answer: number): Instruction {
  return instruction(codes.give, answer);
}

/** `yes` when the loaded value is `value`, else `no`. Both must end the program. */
export function ifEqual(value: number, yes: readonly Instruction[], no: readonly Instruction[]): Instruction[] {
  return branch(codes.equal, value, yes, no);
}

/** `yes` when the loaded value is `value` or more, unsigned. Both must end the program. */
export function ifAtLeast(value: number, yes: readonly Instruction[], no: readonly Instruction[]): Instruction[] {
  return branch(codes.atLeast, value, yes, no);
}

/** A jump that depends on something reaches 255 instructions only; beyond that it jumps to a jump. */
function branch(code: number, value: number, yes: readonly Instruction[], no: readonly Instruction[]): Instruction[] {
  if (no.length <= farthest) return [instruction(code, value, no.length, 0), ...no, ...yes];
  return [instruction(code, value, 0, 1), instruction(codes.jump, no.length), ...no, ...yes];
}

/** Eight bytes for each instruction. */
export function renderProgram(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, yes, no, value }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}
