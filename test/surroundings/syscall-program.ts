/**
 * A program of about 200 bytes that tries system calls and prints what each gave. A shell has no way to do so, and a
 * compiled program would be machine code that nobody can read: here every instruction stands beside its bytes.
 *
 * Each call gets the same argument six times: all bits set, which is no valid descriptor, pointer, flag or id. So an
 * allowed call fails for its argument, and a call that the seccomp filter refuses fails with EPERM before that.
 */

/** Calls that would end, stop or double the program, or take long. */
const never = new Set([
  15, // rt_sigreturn
  34, // pause
  57, // fork
  58, // vfork
  60, // exit
  162, // sync
  231, // exit_group
]);

/** Numbers of x86-64: 335 to 423 were never given out. */
export const triedCalls: readonly number[] = [...range(0, 334), ...range(424, 467)].filter((n) => !never.has(n));

/** personality takes exactly this value as a question. */
const argumentOf = (call: number) => (call === 135 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const base = 0x40_0000;
const headers = 64 + 56;
const entrySize = 16;

/** A static x86-64 executable that writes 16 bytes for each of {@link triedCalls}: the result (little-endian), the argument. */
export function renderSyscallProgram(): Buffer {
  const count = triedCalls.length;
  const table = Buffer.alloc(count * entrySize);
  triedCalls.forEach((call, i) => {
    table.writeBigUInt64LE(BigInt(call), i * entrySize);
    table.writeBigUInt64LE(argumentOf(call), i * entrySize + 8);
  });
  const code = renderCode(count);
  return Buffer.concat([renderHeaders(headers + code.length + table.length), code, table]);
}

/** Results in the order of {@link triedCalls}: 0 or the errno. @param raw what the program wrote. */
export function parseResults(raw: Buffer): Map<number, number> {
  const results = triedCalls.map((call, i): [number, number] => {
    const value = Number(raw.readBigInt64LE(i * entrySize));
    return [call, value < 0 && value >= -4095 ? -value : 0];
  });
  return new Map(results);
}

function renderCode(count: number): Buffer {
  const head = bytes(0xbd, ...le32(count)); // mov ebp, count
  const body = bytes(
    ...[0x48, 0x8b, 0x03], // loop: mov rax, [rbx]        the call
    ...[0x48, 0x8b, 0x7b, 0x08], // mov rdi, [rbx+8]      its arguments
    ...[0x48, 0x89, 0xfe], // mov rsi, rdi
    ...[0x48, 0x89, 0xfa], // mov rdx, rdi
    ...[0x49, 0x89, 0xfa], // mov r10, rdi
    ...[0x49, 0x89, 0xf8], // mov r8, rdi
    ...[0x49, 0x89, 0xf9], // mov r9, rdi
    ...[0x0f, 0x05], // syscall
    ...[0x48, 0x89, 0x03], // mov [rbx], rax              the result over the number
    ...[0x48, 0x83, 0xc3, 0x10], // add rbx, 16
    ...[0xff, 0xcd], // dec ebp
  );
  const jump = bytes(0x75, 256 - (body.length + 2)); // jnz loop
  const write = bytes(
    ...[0xb8, ...le32(1)], // mov eax, 1                  write
    ...[0xbf, ...le32(1)], // mov edi, 1                  standard output
  );
  const rest = bytes(
    ...[0xba, ...le32(count * entrySize)], // mov edx, size of the table
    ...[0x0f, 0x05], // syscall
    ...[0xb8, ...le32(60)], // mov eax, 60                exit
    ...[0x31, 0xff], // xor edi, edi
    ...[0x0f, 0x05], // syscall
  );
  const lea = 7;
  const afterFirst = head.length + body.length + jump.length + write.length + lea + rest.length;
  const first = bytes(0x48, 0x8d, 0x1d, ...le32(afterFirst)); // lea rbx, [rip+table]
  const second = bytes(0x48, 0x8d, 0x35, ...le32(rest.length)); // lea rsi, [rip+table]
  return Buffer.concat([first, head, body, jump, write, second, rest]);
}

function renderHeaders(size: number): Buffer {
  const header = bytes(
    ...[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], // ELF, 64 bits, little-endian, version 1, System V
    ...[2, 0, 62, 0, ...le32(1)], // executable, x86-64, version 1
    ...le64(base + headers), // entry
    ...le64(64), // program headers
    ...le64(0), // no section headers
    ...le32(0), // flags
    ...[64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0], // header sizes and counts
  );
  const program = bytes(
    ...le32(1), // load
    ...le32(7), // readable, writable (the table), executable
    ...le64(0), // from the start of the file
    ...le64(base), // virtual address
    ...le64(base), // physical address
    ...le64(size), // in the file
    ...le64(size), // in memory
    ...le64(0x1000), // alignment
  );
  return Buffer.concat([header, program]);
}

function bytes(...values: number[]): Buffer {
  return Buffer.from(values);
}

function le32(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
}

function le64(value: number): number[] {
  return [...le32(value), 0, 0, 0, 0];
}
