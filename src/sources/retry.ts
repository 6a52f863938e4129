import { limits } from "../base/index.js";

/** How often, and how long after each other, one mirror is asked. Times in milliseconds. */
export interface RetryPolicy {
  /** Times in all, the first included. */
  readonly attempts: number;
  readonly firstDelay: number;
  readonly longestDelay: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 4, firstDelay: 500, longestDelay: 30_000 };

/** Milliseconds to wait after failure number `failures` (from 1): twice as long each time, up to the policy's longest. */
export function backOff(policy: RetryPolicy, failures: number): number {
  return Math.min(policy.longestDelay, policy.firstDelay * 2 ** Math.min(failures - 1, 30));
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110 section 10.2.3: seconds or an HTTP date), at most
 * `limits.retryAfterSeconds`; 0 when there is none, or none that can be read.
 */
export function parseRetryAfter(raw: string | undefined, now: number): number {
  if (raw === undefined || raw.length > 100) return 0;
  const date = Date.parse(raw);
  const wanted = /^[0-9]{1,15}$/.test(raw) ? Number(raw) * 1000 : Number.isNaN(date) ? 0 : date - now;
  return Math.max(0, Math.min(wanted, limits.retryAfterSeconds * 1000));
}

/** Answers that another attempt may change: time-outs, too early, too many requests, and a server in trouble. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}
