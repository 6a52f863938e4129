/**
 * The rules of seccomp.ts as the kernel takes them. libseccomp needs longer to compile them than all else that starting
 * a sandbox takes, and answers a call that is newer than the profile with EPERM, where C libraries that try the new call
 * first need ENOSYS; runc puts that right, crun does not. So we hand crun a finished filter.
 *
 * The numbers are cut into ranges of one answer each and found by halving.
 */
import type { Instruction } from "./bpf.js";
import { and, argumentLow, dataOffsets, give, ifAtLeast, ifEqual, load, renderProgram } from "./bpf.js";
import {
  addressFamilyVsock,
  capabilityCalls,
  namespaceFlags,
  notImplemented,
  permissionDenied,
  personalities,
  x86Calls,
} from "./seccomp.js";
import type { CallConvention } from "./system-calls.js";
import { allowedCalls, callNumber, knownCalls, x32Bit } from "./system-calls.js";

/** Answers of a filter: linux/seccomp.h. */
const allow = give(0x7fff_0000);
const killThread = give(0);
const fail = (errno: number): Instruction => give(0x0005_0000 | errno);

/** `AUDIT_ARCH_*` of linux/audit.h. */
const auditX86 = 0x4000_0003;
const auditX86_64 = 0xc000_003e;

/** What a number gets. Ranges are told apart by identity, so that each is made once. */
type Answer = readonly Instruction[];

const refused: Answer = [fail(permissionDenied)];
const allowed: Answer = [allow];
const unknown: Answer = [fail(notImplemented)];
/** The caller waits until whoever listens answers. Nobody does: see `RightsWatch`. */
const held: Answer = [give(0x7fc0_0000)];

/** How many ids a user name space has, from 0 on. */
export interface MappedIds {
  readonly users: number;
  readonly groups: number;
}

/**
 * `base64` of the filter for crun's annotation, or undefined for a kernel whose calls are not in our table.
 * @param mapped in a user name space its ids: a call that only root outside of it can do is held (SU-23)
 */
export function compiledFilter(architecture: string, mapped?: MappedIds): string | undefined {
  return architecture === "amd64" ? renderProgram(filterProgram(mapped)).toString("base64") : undefined;
}

/** The filter of an x86-64 kernel. Other architectures than its own three ends the thread, as libseccomp has it. */
function filterProgram(mapped: MappedIds | undefined): Instruction[] {
  const rules = (convention: CallConvention): readonly Instruction[] => search(rangesOf(convention, mapped));
  const wide = ifAtLeast(x32Bit, rules("x32"), rules("x86-64"));
  const native = [load(dataOffsets.number), ...wide];
  const narrow = [load(dataOffsets.number), ...rules("i386")];
  return [load(dataOffsets.architecture), ...ifEqual(auditX86_64, native, ifEqual(auditX86, narrow, [killThread]))];
}

interface Range {
  readonly first: number;
  readonly answer: Answer;
}

/** Neighbouring numbers of one answer are one range; those after the last known call do not exist yet. */
function rangesOf(convention: CallConvention, mapped: MappedIds | undefined): Range[] {
  const answers = answersOf(convention, mapped);
  const first = convention === "x32" ? x32Bit : 0;
  const last = Math.max(...answers.keys());
  const ranges: Range[] = [];
  for (let number = first; number <= last + 1; number++) {
    const answer = number > last ? unknown : (answers.get(number) ?? refused);
    if (ranges.at(-1)?.answer !== answer) ranges.push({ first: number, answer });
  }
  return ranges;
}

function answersOf(convention: CallConvention, mapped: MappedIds | undefined): Map<number, Answer> {
  // A process of x32 has the registers of x86-64, yet libseccomp looks at the low half alone, as for i386.
  const words = convention === "x86-64" ? 2 : 1;
  const special = new Map<string, Answer>([
    ["socket", unlessEqual(addressFamilyVsock, words)],
    ["personality", oneOf(personalities, words)],
    ["clone", withoutBits(namespaceFlags)],
    ["clone3", unknown],
    ...(mapped === undefined ? [] : rootOnly(mapped, convention)),
  ]);
  const free = new Set<string>([...allowedCalls, ...capabilityCalls, ...x86Calls]);
  const answers = new Map<number, Answer>();
  for (const name of knownCalls) {
    const number = callNumber(name, convention);
    if (number !== undefined) answers.set(number, special.get(name) ?? (free.has(name) ? allowed : refused));
  }
  return answers;
}

function search(ranges: readonly Range[]): readonly Instruction[] {
  const middle = ranges[ranges.length >> 1];
  if (ranges.length === 1 || middle === undefined) return ranges[0]?.answer ?? refused;
  const half = ranges.length >> 1;
  return ifAtLeast(middle.first, search(ranges.slice(half)), search(ranges.slice(0, half)));
}

/** @param words 4-byte halves of an argument that count. */
function whenHighIsZero(words: number, zero: readonly Instruction[], other: readonly Instruction[]): Instruction[] {
  if (words === 1) return [...zero];
  return [load(dataOffsets.firstArgumentHigh), ...ifEqual(0, zero, other)];
}

function unlessEqual(value: number, words: number): Instruction[] {
  return whenHighIsZero(words, [load(dataOffsets.firstArgumentLow), ...ifEqual(value, refused, allowed)], allowed);
}

function oneOf(values: readonly number[], words: number): Instruction[] {
  const tests = values.reduceRight<readonly Instruction[]>((rest, value) => ifEqual(value, allowed, rest), refused);
  return whenHighIsZero(words, [load(dataOffsets.firstArgumentLow), ...tests], refused);
}

/** Namespaces are in the low half. */
function withoutBits(bits: number): Instruction[] {
  return [load(dataOffsets.firstArgumentLow), and(bits), ...ifEqual(0, allowed, refused)];
}

const largestId = 0xffff_ffff;
const kindMask = 0xf000;
const characterDevice = 0x2000;
const blockDevice = 0x6000;

/** What root can do and root of a user name space cannot: make devices, and give files to owners outside of it. */
function rootOnly(mapped: MappedIds, convention: CallConvention): [string, Answer][] {
  const owners = (first: number): Answer => {
    const group = [load(argumentLow(first + 1)), ...unlessMapped(mapped.groups, allowed)];
    return [load(argumentLow(first)), ...unlessMapped(mapped.users, group)];
  };
  // The 16-bit forms of i386 name no id that is not mapped.
  const suffix = convention === "i386" ? "32" : "";
  const changes = ["chown", "lchown", "fchown"].map((name): [string, Answer] => [name + suffix, owners(1)]);
  return [["mknod", devices(1)], ["mknodat", devices(2)], ["fchownat", owners(2)], ...changes];
}

/** An id that is all ones means no change. */
function unlessMapped(count: number, next: readonly Instruction[]): Instruction[] {
  return ifAtLeast(count, ifEqual(largestId, next, held), next);
}

/** The character device 0, 0 is a whiteout, which anybody may make. */
function devices(mode: number): Answer {
  const character = [load(argumentLow(mode + 1)), ...ifEqual(0, allowed, held)];
  const kinds = ifEqual(characterDevice, character, ifEqual(blockDevice, held, allowed));
  return [load(argumentLow(mode)), and(kindMask), ...kinds];
}
