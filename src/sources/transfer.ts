import { limits, messageOf, StagewrightError } from "../base/index.js";
import type { Clock, Http, HttpResponse } from "../base/index.js";
import type { PartialFile } from "./partial-file.js";
import { isPassing, parseRetryAfter } from "./retry.js";

/** Milliseconds. */
export interface TimeOuts {
  readonly connect: number;
  /** Silence before the answer, and within it. */
  readonly idle: number;
  /** One mirror of one source, retries included. */
  readonly whole: number;
}

export const defaultTimeOuts: TimeOuts = { connect: 20_000, idle: 60_000, whole: 4 * 3600 * 1000 };

export interface TransferContext {
  readonly http: Http;
  readonly clock: Clock;
  readonly timeOuts: TimeOuts;
  readonly sizeLimit: number;
  readonly abort: AbortSignal;
  /** Bytes received in all, and the size of the whole file where the server told it. */
  readonly onBytes: (received: number, total: number | undefined) => void;
}

/** One request that did not bring the file. `delay`: the milliseconds that the server asks for before the next. */
export interface FailedAttempt {
  readonly kind: "failed";
  readonly reason: string;
  /** Whether a further attempt may do better. */
  readonly retry: boolean;
  readonly delay: number;
}

/** `resumed`: the body continued what was there, so that the hash may be wrong for the sake of the old bytes. */
export type Attempt = { readonly kind: "complete"; readonly resumed: boolean } | FailedAttempt;

/** What the attempts on one mirror learn for each other. */
export interface TransferMemory {
  /** The strong entity tag of the last answer: with it the server itself says whether a rest still fits. */
  validator: string | undefined;
}

function failed(reason: string, retry: boolean, delay = 0): FailedAttempt {
  return { kind: "failed", reason, retry, delay };
}

/**
 * One request, redirects included, that brings the bytes from where `partial` stands.
 * @throws unavailable `interrupted`, `disk-full`, `store-not-writable`
 */
export async function transfer(
  context: TransferContext,
  url: string,
  partial: PartialFile,
  memory: TransferMemory,
): Promise<Attempt> {
  const response = await getFollowing(context, url, requestHeaders(partial, memory));
  if ("kind" in response) return response;
  try {
    const plan = judge(response, partial.size, context);
    if ("kind" in plan) {
      if (response.status === 206 || response.status === 416) partial.restart();
      return plan;
    }
    if (!plan.resumes) partial.restart();
    memory.validator = strongTag(response.headers["etag"]);
    const cut = await receive(context, response, partial, plan.total);
    return cut ?? { kind: "complete", resumed: plan.resumes };
  } finally {
    response.destroy();
  }
}

function requestHeaders(partial: PartialFile, memory: TransferMemory): Record<string, string> {
  const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "stagewright" };
  if (partial.size === 0) return headers;
  headers["range"] = `bytes=${String(partial.size)}-`;
  if (memory.validator !== undefined) headers["if-range"] = memory.validator;
  return headers;
}

function strongTag(raw: string | undefined): string | undefined {
  return raw !== undefined && /^"[\x21\x23-\x7e]{1,200}"$/.test(raw) ? raw : undefined;
}

interface Plan {
  readonly resumes: boolean;
  readonly total: number | undefined;
}

/** What an answer means for the bytes that are there (RFC 9110 sections 14.4, 15.3.7 and 15.5.17). */
function judge(response: HttpResponse, have: number, context: TransferContext): Plan | FailedAttempt {
  const { status, headers } = response;
  if (status === 200) return checkSize({ resumes: false, total: parseLength(headers["content-length"]) }, context);
  if (status === 206) {
    const range = /^bytes ([0-9]{1,15})-[0-9]{1,15}\/([0-9]{1,15}|\*)$/.exec(headers["content-range"] ?? "");
    if (have === 0 || range === null || Number(range[1]) !== have) {
      return failed("the server sent another range than asked for", true);
    }
    return checkSize({ resumes: true, total: range[2] === "*" ? undefined : Number(range[2]) }, context);
  }
  if (status === 416) return failed("the server has no such range (HTTP 416)", have > 0);
  const delay = parseRetryAfter(headers["retry-after"], context.clock.now());
  return failed(`the server answered HTTP ${String(status)}`, isPassing(status), delay);
}

function parseLength(raw: string | undefined): number | undefined {
  return raw !== undefined && /^[0-9]{1,15}$/.test(raw) ? Number(raw) : undefined;
}

function checkSize(plan: Plan, context: TransferContext): Plan | FailedAttempt {
  if (plan.total === undefined || plan.total <= context.sizeLimit) return plan;
  return tooLarge(`the server announces ${String(plan.total)} bytes`, context);
}

function tooLarge(found: string, context: TransferContext): FailedAttempt {
  return failed(`${found}; a source may have ${String(context.sizeLimit)}`, false);
}

/** Takes the body in; undefined when it came whole. */
async function receive(
  context: TransferContext,
  response: HttpResponse,
  partial: PartialFile,
  total: number | undefined,
): Promise<FailedAttempt | undefined> {
  context.onBytes(partial.size, total);
  const pieces = response.body[Symbol.asyncIterator]();
  for (;;) {
    const next = await orFailure(context, async () => await pieces.next());
    if ("kind" in next) return next;
    if (next.done === true) break;
    if (partial.size + next.value.length > context.sizeLimit) {
      partial.restart();
      return tooLarge("the server sends more and more", context);
    }
    partial.write(next.value);
    context.onBytes(partial.size, total);
  }
  if (total === undefined || partial.size === total) return undefined;
  return failed(`the server sent ${String(partial.size)} of ${String(total)} bytes`, true);
}

/** Failures of the network become failed attempts; an interrupt, and a proxy that makes no sense, stay what they are. */
async function orFailure<T>(context: TransferContext, work: () => Promise<T>): Promise<T | FailedAttempt> {
  try {
    return await work();
  } catch (cause) {
    if (context.abort.aborted || !(cause instanceof StagewrightError) || cause.kind !== "unavailable") throw cause;
    return failed(messageOf(cause), true);
  }
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

async function getFollowing(
  context: TransferContext,
  first: string,
  headers: Record<string, string>,
): Promise<HttpResponse | FailedAttempt> {
  let url = first;
  for (let hops = 0; hops <= limits.redirects; hops++) {
    const response = await orFailure(context, async () => await get(context, url, headers));
    if ("kind" in response || !redirectStatuses.has(response.status)) return response;
    response.destroy();
    const target = redirectTarget(url, response.headers["location"]);
    if (typeof target !== "string") return target;
    url = target;
  }
  return failed(`more than ${String(limits.redirects)} redirects`, false);
}

async function get(context: TransferContext, url: string, headers: Record<string, string>): Promise<HttpResponse> {
  return await context.http.get(url, {
    headers,
    connectMilliseconds: context.timeOuts.connect,
    idleMilliseconds: context.timeOuts.idle,
    abort: context.abort,
  });
}

function redirectTarget(from: string, location: string | undefined): string | FailedAttempt {
  if (location === undefined || !URL.canParse(location, from)) {
    return failed(`a redirect to no address: ${JSON.stringify(location?.slice(0, 200) ?? "")}`, false);
  }
  const to = new URL(location, from);
  if (to.protocol !== "https:" && to.protocol !== "http:") {
    return failed(`a redirect to ${to.protocol}, which is neither http: nor https:`, false);
  }
  if (to.protocol === "http:" && new URL(from).protocol === "https:") {
    return failed(`a redirect from https down to http, to ${to.host}`, false);
  }
  if (to.username !== "" || to.password !== "") return failed("a redirect that carries a password", false);
  return to.href;
}
