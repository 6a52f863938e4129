/** The smallest program there is: it ends with status 0. In a root that holds nothing else it shows that a RUN runs. */

interface Form {
  readonly bits: 32 | 64;
  /** e_machine and e_flags of the ELF header. */
  readonly machine: number;
  readonly flags: number;
  /** exit(0) in machine code. */
  readonly code: readonly number[];
}

const forms: Readonly<Record<string, Form>> = {
  // xor edi,edi; mov eax,60; syscall
  amd64: { bits: 64, machine: 62, flags: 0, code: [0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05] },
  // xor ebx,ebx; mov eax,1; int 0x80
  "386": { bits: 32, machine: 3, flags: 0, code: [0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80] },
  // mov x0,#0; mov x8,#93; svc #0
  arm64: { bits: 64, machine: 183, flags: 0, code: [0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4] },
  // mov r0,#0; mov r7,#1; svc #0 (EABI 5)
  arm: { bits: 32, machine: 40, flags: 0x05000000, code: [0, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef] },
  // addi a0,zero,0; addi a7,zero,93; ecall
  riscv64: { bits: 64, machine: 243, flags: 0, code: [0x13, 5, 0, 0, 0x93, 8, 0xd0, 5, 0x73, 0, 0, 0] },
};

/** OCI architectures that {@link exitProgram} can make. */
export const programArchitectures: readonly string[] = Object.keys(forms);

/** Where the file is mapped: a multiple of the largest page there is (64 KiB). */
const base = 0x10000;

/** A static ELF file, or undefined for an architecture that it does not know. Source: elf(5). */
export function exitProgram(architecture: string): Buffer | undefined {
  const form = forms[architecture];
  if (form === undefined) return undefined;
  const wide = form.bits === 64;
  const headerSize = wide ? 64 : 52;
  const segmentSize = wide ? 56 : 32;
  const start = headerSize + segmentSize;
  const file = Buffer.alloc(start + form.code.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]).copy(file);
  const at = fieldWriter(file, wide);
  const fields = at(16, [2, "half"], [form.machine, "half"], [1, "word"], [base + start, "address"]);
  const sizes = at(fields, [headerSize, "address"], [0, "address"], [form.flags, "word"], [headerSize, "half"]);
  at(sizes, [segmentSize, "half"], [1, "half"], [wide ? 64 : 40, "half"], [0, "half"], [0, "half"]);
  const readAndExecute = 5;
  const flags: Field = [readAndExecute, "word"];
  const size: Field = [file.length, "address"];
  const begin = at(
    headerSize,
    [1, "word"],
    ...(wide ? [flags] : []),
    [0, "address"],
    [base, "address"],
    [base, "address"],
  );
  at(begin, size, size, ...(wide ? [] : [flags]), [base, "address"]);
  Buffer.from(form.code).copy(file, start);
  return file;
}

type Field = readonly [value: number, size: "half" | "word" | "address"];

/** Writes fields one after the other; gives the offset after the last. */
function fieldWriter(file: Buffer, wide: boolean) {
  return (offset: number, ...fields: readonly Field[]): number => {
    let next = offset;
    for (const [value, size] of fields) {
      if (size === "half") next = file.writeUInt16LE(value, next);
      else if (size === "word" || !wide) next = file.writeUInt32LE(value, next);
      else next = file.writeBigUInt64LE(BigInt(value), next);
    }
    return next;
  };
}
