import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from "undici";

import { malformed, messageOf, systemErrorCode, unavailable } from "../base/index.js";
import type { Http, HttpOptions, HttpResponse, StagewrightError } from "../base/index.js";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * HTTP over the machine's network, through the proxies that `http_proxy`, `https_proxy` and `no_proxy` of the given
 * environment name. Capital letters count too, except `HTTP_PROXY`: a CGI request header could set that one.
 * @throws malformed `bad-proxy` for a proxy that is no http or https URL
 */
export function undiciHttp(environment: Environment): Http {
  const dispatchers = new Map<string, Dispatcher>();
  const proxies = {
    "http:": proxyUrl("http_proxy", environment["http_proxy"]),
    "https:": proxyUrl("https_proxy", environment["https_proxy"] ?? environment["HTTPS_PROXY"]),
  };
  const noProxy = environment["no_proxy"] ?? environment["NO_PROXY"] ?? "";
  const dispatcherFor = (url: string, connectMilliseconds: number): Dispatcher => {
    const proxy = url.startsWith("https:") ? proxies["https:"] : proxies["http:"];
    const key = `${proxy} ${String(connectMilliseconds)}`;
    const known = dispatchers.get(key);
    if (known !== undefined) return known;
    const made = makeDispatcher(proxy, noProxy, connectMilliseconds);
    dispatchers.set(key, made);
    return made;
  };
  return {
    get: async (url, options) => await get(dispatcherFor(url, options.connectMilliseconds), url, options),
    close: async () => {
      await Promise.all([...dispatchers.values()].map(async (dispatcher) => await dispatcher.destroy()));
    },
  };
}

function proxyUrl(name: string, raw: string | undefined): string {
  if (raw === undefined || raw === "") return "";
  const text = raw.includes("://") ? raw : `http://${raw}`;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw malformed({
    code: "bad-proxy",
    message: `expected an http or https URL in ${name}, found ${JSON.stringify(raw.slice(0, 100))}`,
    subject: name,
    hint: `set ${name} to http://HOST:PORT, or unset it`,
  });
}

function makeDispatcher(proxy: string, noProxy: string, connectMilliseconds: number): Dispatcher {
  const connect = { timeout: connectMilliseconds };
  if (proxy === "") return new Agent({ connect });
  // Both proxies are the same one here: left out, undici would read them from the process's own environment. Plain
  // http goes as an absolute-form request, as proxies expect: many allow CONNECT to port 443 only.
  return new EnvHttpProxyAgent({
    connect,
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy,
    requestTls: connect,
    proxyTls: connect,
    proxyTunnel: false,
  });
}

async function get(dispatcher: Dispatcher, url: string, options: HttpOptions): Promise<HttpResponse> {
  try {
    const response = await request(url, {
      dispatcher,
      method: "GET",
      headers: { ...options.headers },
      headersTimeout: options.idleMilliseconds,
      bodyTimeout: options.idleMilliseconds,
      signal: options.abort ?? null,
    });
    // A body that is thrown away ends with an error event that nobody else listens to.
    response.body.on("error", () => undefined);
    return {
      status: response.statusCode,
      headers: flattenHeaders(response.headers),
      body: readBody(response.body, url, options.abort),
      destroy: () => response.body.destroy(),
    };
  } catch (cause) {
    throw networkError(cause, url, options.abort);
  }
}

function flattenHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

async function* readBody(
  body: AsyncIterable<Uint8Array>,
  url: string,
  abort: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw networkError(cause, url, abort);
  }
}

const timeOuts = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

function networkError(cause: unknown, url: string, abort: AbortSignal | undefined): StagewrightError {
  if (abort?.aborted === true) {
    return unavailable({ code: "interrupted", message: "interrupted before it was done", subject: url, cause });
  }
  const code = systemErrorCode(cause) ?? "";
  return unavailable({
    code: timeOuts.has(code) ? "time-out" : "connection-failed",
    message: describe(cause, code),
    subject: url,
    hint: "check the network and the proxy settings, or give a folder of sources with --distfiles",
    cause,
  });
}

/** Node joins the attempts on several addresses into one error whose own message is empty. */
function describe(cause: unknown, code: string): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join("; ");
  const text = messageOf(cause);
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}
