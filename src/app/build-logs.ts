/** The whole output of every RUN, in one file for each target. */
import type { FileSystem } from "../base/index.js";
import type { Store } from "../engines/index.js";
import type { TreeBuildEvent } from "./build-tree.js";

export class BuildLogs {
  private readonly open = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly files: FileSystem,
  ) {}

  path(target: string): string {
    return this.store.path("logs", `${target.replaceAll("/", "-")}.log`);
  }

  take(event: TreeBuildEvent): void {
    switch (event.type) {
      case "target-started":
        this.open.set(event.target, this.files.openSync(this.path(event.target), "w", 0o600));
        break;
      case "step-started":
        this.write(event.target, Buffer.from(`--- line ${String(event.line)}: ${event.text}\n`));
        break;
      case "step-output":
        this.write(event.target, event.chunk);
        break;
      case "target-ended":
        this.write(event.result.id, Buffer.from(`--- ${event.result.state}\n`));
        this.closeOne(event.result.id);
        break;
      case "step-ended":
      case "compressing":
      case "target-planned":
        break;
    }
  }

  close(): void {
    for (const target of [...this.open.keys()]) this.closeOne(target);
  }

  private closeOne(target: string): void {
    const fd = this.open.get(target);
    if (fd !== undefined) this.files.closeSync(fd);
    this.open.delete(target);
  }

  private write(target: string, data: Uint8Array): void {
    const fd = this.open.get(target);
    if (fd === undefined) return;
    for (let done = 0; done < data.length;) done += this.files.writeSync(fd, data, done, data.length - done);
  }
}
