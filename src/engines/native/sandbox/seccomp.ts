/**
 * Which system calls a RUN may use, for the runtime that compiles it itself: `linux.seccomp` of the OCI runtime
 * specification. seccomp-filter.ts compiles the same rules; a test holds both against BuildKit's own filter.
 */
import { allowedCalls } from "./system-calls.js";

/** Personalities that change nothing that matters: Linux, 32-bit Linux, each with and without UNAME26, and the query. */
export const personalities = [0, 0x8, 0x20000, 0x20008, 0xffffffff] as const;

/** CLONE_NEW* of every kind of namespace. */
export const namespaceFlags = 0x7e020000;
export const addressFamilyVsock = 40;
export const permissionDenied = 1;
export const notImplemented = 38;

/** Given to a RUN's capabilities (ptrace, chroot) and to its architecture, beside what everybody has. */
export const capabilityCalls = ["process_vm_readv", "process_vm_writev", "ptrace", "chroot"] as const;
export const x86Calls = ["arch_prctl", "modify_ldt"] as const;

const architectures: Readonly<Record<string, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/** `linux.seccomp` for a kernel of this OCI architecture. */
export function seccompProfile(architecture: string): Readonly<Record<string, unknown>> {
  const allow = (names: readonly string[], args?: readonly unknown[]) => ({
    names,
    action: "SCMP_ACT_ALLOW",
    ...(args === undefined ? {} : { args }),
  });
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: permissionDenied,
    architectures: architectures[architecture] ?? [],
    syscalls: [
      allow(allowedCalls),
      allow(capabilityCalls),
      allow(["socket"], [{ index: 0, value: addressFamilyVsock, op: "SCMP_CMP_NE" }]),
      ...personalities.map((value) => allow(["personality"], [{ index: 0, value, op: "SCMP_CMP_EQ" }])),
      ...(architecture === "amd64" ? [allow(x86Calls)] : []),
      allow(["clone"], [{ index: 0, value: namespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }]),
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: notImplemented },
    ],
  };
}
