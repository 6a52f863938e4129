/** Refusals of the engine that no single step makes. */
import { malformed, unavailable } from "../../base/index.js";
import type { Platform } from "../../graph/index.js";
import { renderPlatform } from "../../graph/index.js";

export function foreignPlatform(platform: Platform): Error {
  return unavailable({
    code: "foreign-platform",
    message: `this machine does not run programs of ${renderPlatform(platform)}`,
    subject: renderPlatform(platform),
    hint: "install an emulator: apt-get install qemu-user-static binfmt-support",
  });
}

export function missingInput(kind: string, name: string): Error {
  return malformed({
    code: `missing-${kind}`,
    message: `the Containerfile needs the ${kind} ${JSON.stringify(name)}, which was not given`,
    subject: name,
    hint: `give it with --build-context ${name}=DIR`,
  });
}
