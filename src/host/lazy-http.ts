import type { Http } from "../base/index.js";

/**
 * HTTP whose library is loaded with the first request: most commands make none, and loading it takes longer than they do.
 * @throws malformed `bad-proxy`, from the first request
 */
export function lazyHttp(environment: Readonly<Record<string, string | undefined>>): Http {
  let opened: Promise<Http> | undefined;
  const open = (): Promise<Http> => {
    opened ??= import("./http.js").then(({ undiciHttp }) => undiciHttp(environment));
    return opened;
  };
  return {
    get: async (url, options) => await (await open()).get(url, options),
    close: async () => {
      // What could not be opened needs no closing; whoever made the request has the reason.
      const http = await opened?.catch(() => undefined);
      await http?.close();
    },
  };
}
