import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { exitProgram, programArchitectures } from "./doctor-program.js";

function withProgram<T>(architecture: string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "stagewright-program-"));
  try {
    const path = join(folder, "program");
    writeFileSync(path, exitProgram(architecture) ?? "", { mode: 0o755 });
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the smallest program", () => {
  it.runIf(process.arch === "x64")("ends with status 0 on this machine", () => {
    expect(withProgram("amd64", (path) => spawnSync(path, { env: {} }).status)).toBe(0);
  });

  const formats: readonly (readonly [string, RegExp])[] = [
    ["amd64", /ELF64[^]*X86-64[^]*R E/],
    ["386", /ELF32[^]*80386[^]*R E/],
    ["arm64", /ELF64[^]*AArch64[^]*R E/],
    ["arm", /ELF32[^]*ARM[^]*Version5 EABI[^]*R E/],
    ["riscv64", /ELF64[^]*RISC-V[^]*R E/],
  ];

  it.each(formats)("is a valid ELF file for %s, as readelf reads it", (architecture, form) => {
    const { stdout, stderr } = withProgram(architecture, (path) =>
      spawnSync("readelf", ["--file-header", "--segments", path], { encoding: "utf8" }),
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(form);
    expect(stdout).toMatch(/Entry point address:\s+0x100(?:78|54)/);
  });

  it("is known for the architectures that it names, and no other", () => {
    expect(programArchitectures).toEqual(expect.arrayContaining(formats.map(([name]) => name)));
    expect(exitProgram("vax")).toBeUndefined();
  });
});
