/** Which platforms this kernel runs programs of. */
import type { FileSystem } from "../base/index.js";
import { servesPlatform, type Platform } from "../graph/index.js";

/** QEMU's names, as Debian registers them with binfmt_misc. */
const emulators: Readonly<Record<string, string>> = {
  "386": "i386",
  amd64: "x86_64",
  arm: "arm",
  arm64: "aarch64",
  ppc64le: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
};

/** Whether a RUN for the platform can start: natively, or through an emulator that the kernel opens in advance (flag F). */
export function canRunPlatform(platform: Platform, architecture: string, files: FileSystem): boolean {
  if (platform.os !== "linux") return false;
  if (servesPlatform({ os: "linux", architecture }, platform)) return true;
  const emulator = emulators[platform.architecture];
  if (emulator === undefined) return false;
  const path = `/proc/sys/fs/binfmt_misc/qemu-${emulator}`;
  if (!files.existsSync(path)) return false;
  const entry = files.readFileSync(path, "utf8");
  return entry.startsWith("enabled") && /^flags: .*F/m.test(entry);
}
