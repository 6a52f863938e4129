import type { TargetResult, TreeBuildEvent } from "../app/index.js";
import type { StagewrightError } from "../base/index.js";
import { secondsText } from "./numbers.js";
import { errorText } from "./report-error.js";
import type { Terminal } from "./terminal.js";
import { shown } from "./terminal.js";

/** Lines of a failed step's output that are shown. */
const tailLines = 30;
const keptBytes = 64 << 10;

interface Running {
  step: string;
  /** The end of what the step said. */
  tail: string;
  lastLine: string;
}

/** A build for a person: on a terminal one moving line for each running target, elsewhere a line when something ends. */
export class BuildProgress {
  private readonly running = new Map<string, Running>();
  private waiting = 0;
  private done = 0;

  constructor(private readonly terminal: Terminal) {}

  take(event: TreeBuildEvent): void {
    switch (event.type) {
      case "target-planned":
        this.waiting = event.waiting;
        break;
      case "target-started":
        this.running.set(event.target, { step: "planning", tail: "", lastLine: "" });
        break;
      case "step-started":
        this.update(event.target, { step: `${String(event.line)}: ${event.text}`, tail: "", lastLine: "" });
        break;
      case "step-output":
        this.output(event.target, event.chunk);
        break;
      case "step-ended":
        if (!this.terminal.moves && event.report.state === "executed") {
          const { line, text, seconds } = event.report;
          this.terminal.note(`${event.target} ${String(line)}: ${shown(text)} (${secondsText(seconds)})`);
        }
        break;
      case "compressing":
        this.update(event.target, { step: "compressing", tail: "", lastLine: "" });
        break;
      case "target-ended":
        this.ended(event.result);
        break;
    }
    this.draw();
  }

  close(): void {
    this.terminal.erase();
  }

  private update(target: string, state: Running): void {
    if (this.running.has(target)) this.running.set(target, state);
  }

  private output(target: string, chunk: Buffer): void {
    const state = this.running.get(target);
    if (state === undefined) return;
    state.tail = (state.tail + chunk.toString("utf8")).slice(-keptBytes);
    const lines = state.tail.trimEnd().split("\n");
    state.lastLine = lines.at(-1) ?? "";
  }

  private ended(result: TargetResult): void {
    const state = this.running.get(result.id);
    this.running.delete(result.id);
    if (result.state !== "cached") this.done++;
    if (result.state === "built") {
      const mark = this.terminal.paint("green", "built");
      this.terminal.note(`${mark} ${result.id} ${result.digest ?? ""} (${secondsText(result.seconds)})`);
    }
    if (result.error !== undefined) this.failed(result.id, result.state, result.error, state);
  }

  private failed(id: string, state: string, error: StagewrightError, running: Running | undefined): void {
    const tail = running?.tail.trimEnd() ?? "";
    if (tail !== "") {
      this.terminal.note(`--- ${id}: the end of what ${shown(running?.step ?? "")} said`);
      this.terminal.note(shown(tail.split("\n").slice(-tailLines).join("\n")));
      this.terminal.note("---");
    }
    this.terminal.note(`${state} ${id}: ${errorText(error, this.terminal)}`);
  }

  private draw(): void {
    if (!this.terminal.moves) return;
    const lines = [...this.running].map(([target, { step, lastLine }]) =>
      shown(`${target} ${step}${lastLine === "" ? "" : ` | ${lastLine}`}`),
    );
    if (this.waiting > 0) lines.push(`${String(this.done)} of ${String(this.waiting)} targets done`);
    this.terminal.show(lines);
  }
}
