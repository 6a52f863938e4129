/** Runs a seccomp filter as the kernel would: linux/filter.h, as much of it as such filters use. */

export interface SystemCall {
  readonly number: number;
  /** `AUDIT_ARCH_*`. */
  readonly architecture: number;
  /** The first argument. */
  readonly argument: bigint;
  /** Those after it; 0 without. */
  readonly others?: readonly bigint[];
}

export interface Verdict {
  readonly answer: string;
  /** Whether the argument had a part in it. */
  readonly looked: boolean;
}

const firstArgument = 16;

/** @throws for an instruction that no filter of ours or libseccomp's has, and for a program that runs off its end. */
export function runFilter(filter: Buffer, call: SystemCall): Verdict {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.architecture >>> 0, 4);
  data.writeBigUInt64LE(BigInt.asUintN(64, call.argument), 16);
  for (const [index, other] of (call.others ?? []).entries()) {
    data.writeBigUInt64LE(BigInt.asUintN(64, other), firstArgument + 8 * (index + 1));
  }
  let accumulator = 0;
  let looked = false;
  for (let at = 0; at < filter.length; at += 8) {
    const value = filter.readUInt32LE(at + 4);
    const skip = (yes: boolean): number => filter.readUInt8(at + (yes ? 2 : 3)) * 8;
    switch (filter.readUInt16LE(at)) {
      case 0x20:
        accumulator = data.readUInt32LE(value);
        looked ||= value >= firstArgument;
        break;
      case 0x54:
        accumulator = (accumulator & value) >>> 0;
        break;
      case 0x05:
        at += value * 8;
        break;
      case 0x15:
        at += skip(accumulator === value);
        break;
      case 0x25:
        at += skip(accumulator > value);
        break;
      case 0x35:
        at += skip(accumulator >= value);
        break;
      case 0x45:
        at += skip((accumulator & value) !== 0);
        break;
      case 0x06:
        return { answer: answer(value), looked };
      default:
        throw new Error(`instruction ${filter.subarray(at, at + 8).toString("hex")}`);
    }
  }
  throw new Error("the filter ends without an answer");
}

function answer(value: number): string {
  if (value === 0x7fff_0000) return "allow";
  if (value === 0) return "kill";
  return value >>> 16 === 5 ? `errno ${String(value & 0xffff)}` : value.toString(16);
}
