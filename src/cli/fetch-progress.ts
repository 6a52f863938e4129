import type { FetchEvent } from "../app/index.js";
import { sizeText } from "./numbers.js";
import type { Terminal } from "./terminal.js";
import { shown } from "./terminal.js";

const barWidth = 20;

/** Downloads on a terminal as one moving line each, elsewhere as a line when one ends or a mirror fails. */
export class FetchProgress {
  private readonly running = new Map<string, FetchEvent>();

  constructor(private readonly terminal: Terminal) {}

  take(event: FetchEvent): void {
    const name = shown(event.fileName);
    if (event.state === "done" || event.state === "failed") {
      this.running.delete(event.sha256);
      if (event.received > 0 || event.state === "failed") {
        this.terminal.note(`${event.state === "done" ? "fetched" : "failed "} ${name} ${sizeText(event.received)}`);
      }
    } else {
      this.running.set(event.sha256, event);
      if (event.state === "retrying" || event.state === "mirror-failed") {
        this.terminal.note(`${event.state} ${name}: ${shown(event.message ?? "")} (${shown(event.mirror ?? "")})`);
      }
    }
    this.terminal.show([...this.running.values()].map(progressLine));
  }
}

function progressLine(event: FetchEvent): string {
  const { received, total } = event;
  const name = shown(event.fileName).padEnd(40).slice(0, 40);
  if (total === undefined || total === 0) return `${name} ${sizeText(received)}`;
  const filled = Math.min(barWidth, Math.round((received / total) * barWidth));
  return `${name} [${"#".repeat(filled).padEnd(barWidth)}] ${sizeText(received)} of ${sizeText(total)}`;
}
