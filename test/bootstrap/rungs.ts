import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package, with the seed and the sources of the rungs. */
export const stage0 = fileURLToPath(new URL("../../packages/bootstrap/stage0/", import.meta.url));

/** Whether this machine can execute the rungs at all. Says so, once for each test file, when it cannot. */
export function canRunRungs(): boolean {
  const can = process.platform === "linux" && process.arch === "x64";
  if (!can)
    console.warn(`SKIPPED: the rungs are x86-64 Linux programs, this is ${process.platform} on ${process.arch}`);
  return can;
}

export function sourceOf(rung: string): Buffer {
  return readFileSync(join(stage0, `${rung}.hex0`));
}

export function specification(): string {
  return readFileSync(new URL("../../docs/spec/bootstrap.md", import.meta.url), "utf8");
}

export interface Outcome {
  readonly status: number | null;
  readonly told: string;
  /** What was written to OUTPUT; undefined where there is no such file. */
  readonly output: Buffer | undefined;
}

/** A folder in which the rungs are built with the seed, as the Containerfile does it. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), "stagewright-rungs-"));
  readonly seed = join(stage0, "seed");

  path(name: string): string {
    return join(this.folder, name);
  }

  run(program: string, ...args: readonly string[]): { status: number | null; told: string } {
    const result = spawnSync(program, args, { encoding: "latin1", env: {}, timeout: 20_000 });
    if (result.error !== undefined) throw result.error;
    return { status: result.status, told: result.stderr };
  }

  /** Runs `program INPUT OUTPUT` on the text. */
  assemble(program: string, text: Buffer | string): Outcome {
    const output = this.path("output");
    rmSync(output, { force: true });
    writeFileSync(this.path("input"), text);
    const { status, told } = this.run(program, this.path("input"), output);
    return { status, told, output: existsSync(output) ? readFileSync(output) : undefined };
  }

  /** Builds a rung from its source in the language of hex0. */
  build(rung: string): string {
    const { status } = this.run(this.seed, join(stage0, `${rung}.hex0`), this.path(rung));
    if (status !== 0) throw new Error(`expected the seed to assemble ${rung}.hex0, found exit status ${status}`);
    return this.path(rung);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
