import { createHash, type Hash } from "node:crypto";

import { unavailable } from "../base/index.js";
import type { Clock, FileSystem } from "../base/index.js";

const chunkSize = 1 << 20;
/** Bytes between two pauses in which the event loop turns: a progress line, an interrupt. */
const turnSize = 32 << 20;

/** @throws unavailable `interrupted` */
export function checkInterrupted(abort: AbortSignal | undefined, subject?: string): void {
  if (abort?.aborted !== true) return;
  throw unavailable({ code: "interrupted", message: "interrupted before it was done", subject });
}

/**
 * Reads an open file from its start to its end, `sink` getting each piece (the piece is reused: copy what must stay).
 * @throws unavailable `interrupted`; the system's own error when reading fails
 */
export async function readThrough(
  effects: { readonly fileSystem: FileSystem; readonly clock: Clock },
  fd: number,
  sink: (piece: Uint8Array) => void,
  abort?: AbortSignal,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  let position = 0;
  for (;;) {
    const count = effects.fileSystem.readSync(fd, buffer, 0, chunkSize, position);
    if (count === 0) return position;
    sink(buffer.subarray(0, count));
    const before = position;
    position += count;
    if (Math.floor(before / turnSize) !== Math.floor(position / turnSize)) await effects.clock.sleep(0);
    checkInterrupted(abort);
  }
}

/** The digits of a running hash, which can go on afterwards. */
export function digitsOf(hash: Hash): string {
  return hash.copy().digest("hex");
}

export function newHash(): Hash {
  return createHash("sha256");
}
