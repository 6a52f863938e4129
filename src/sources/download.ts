import { unavailable, type StagewrightError } from "../base/index.js";
import { checkInterrupted } from "./hashing.js";
import type { PartialFile } from "./partial-file.js";
import { backOff, type RetryPolicy } from "./retry.js";
import { transfer, type TransferContext, type TransferMemory } from "./transfer.js";

export interface DownloadContext extends Omit<TransferContext, "abort"> {
  readonly retry: RetryPolicy;
  readonly abort: AbortSignal | undefined;
  readonly onRetry: (reason: string, delay: number) => void;
  /** Counts work against the limits of simultaneous downloads; the wait between two attempts is not counted. */
  readonly inSlot: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Bytes gained that make a failed attempt count as progress, so that a large file survives many cuts. */
const progressSize = 1 << 20;

/**
 * Brings the bytes of `url` into `partial`, from where that stands, until the server says that they are all there.
 * Whether they are the right ones is decided by their hash: true when it is `expectedHex`. A file that was resumed and
 * comes out wrong is fetched once more from its start before the answer is false.
 * @throws unavailable `mirror-failed` (with the reason), `interrupted`, `disk-full`, `store-not-writable`
 */
export async function download(
  context: DownloadContext,
  url: string,
  partial: PartialFile,
  expectedHex: string,
): Promise<boolean> {
  const deadline = new AbortController();
  const outer = context.abort;
  const abort = outer === undefined ? deadline.signal : AbortSignal.any([outer, deadline.signal]);
  const done = new AbortController();
  void context.clock.sleep(context.timeOuts.whole, done.signal).then(
    () => deadline.abort(),
    () => undefined, // the download was done first
  );
  try {
    return await tryRepeatedly({ ...context, abort }, url, partial, expectedHex);
  } catch (cause) {
    checkInterrupted(outer, url);
    if (!deadline.signal.aborted) throw cause;
    throw mirrorFailed(url, `not done after ${String(context.timeOuts.whole / 1000)} s`);
  } finally {
    done.abort();
  }
}

async function tryRepeatedly(
  context: DownloadContext & TransferContext,
  url: string,
  partial: PartialFile,
  expectedHex: string,
): Promise<boolean> {
  const memory: TransferMemory = { validator: undefined };
  let failures = 0;
  let mayResume = true;
  for (;;) {
    if (!mayResume) partial.restart();
    const before = partial.size;
    const result = await context.inSlot(async () => await transfer(context, url, partial, memory));
    if (result.kind === "complete") {
      if (partial.digits() === expectedHex) return true;
      if (!result.resumed) return false;
      mayResume = false;
      continue;
    }
    failures = partial.size - before >= progressSize ? 1 : failures + 1;
    if (!result.retry || failures >= context.retry.attempts) throw mirrorFailed(url, result.reason);
    const delay = Math.max(result.delay, backOff(context.retry, failures));
    context.onRetry(result.reason, delay);
    await context.clock.sleep(delay, context.abort);
  }
}

function mirrorFailed(url: string, reason: string): StagewrightError {
  return unavailable({ code: "mirror-failed", message: reason, subject: url });
}
