import { H2CClient, fetch as fetchOver, type RequestInit } from "undici";
import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

type Fetch = (url: string, init?: RequestInit) => Promise<unknown>;

/** Over HTTP/2 without TLS. */
function fetchOverHttp2(url: string): Fetch {
  const shared = new H2CClient(url);
  return (input, { signal, ...init } = {}) => {
    if (!(init.body instanceof ReadableStream))
      return fetchOver(input, { ...init, signal: signal ?? null, dispatcher: shared });
    // Node's client ends the body of a request that is broken off. Only a connection that breaks does not end it.
    const own = new H2CClient(url);
    signal?.addEventListener("abort", () => void own.destroy());
    return fetchOver(input, { ...init, dispatcher: own });
  };
}

describeHost({
  name: "node:http2",
  packages: ["node"],
  start: () => startOnNode("node-http2.mjs"),
  fetchOf: (url) => fetchOverHttp2(url) as unknown as typeof globalThis.fetch,
});
