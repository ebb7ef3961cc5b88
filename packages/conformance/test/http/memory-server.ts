import type { Fetch, HttpDoors } from "@tm/run-events-conformance/http";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createHandler, type HandlerOptions } from "@tm/run-events-http";
import { identify, TOKENS } from "./users.ts";

/** Parts of the server that a mutant breaks. */
export interface ServerBreakage {
  /** What stands in front of the real handler. */
  readonly wrap?: (fetch: Fetch) => Fetch;
  /** The handler's settings. */
  readonly settings?: Partial<HandlerOptions<Request>>;
}

/** The handler of `Request` and `Response` over a memory store, without a port. */
export function memoryServerDoors(breakage: ServerBreakage = {}): HttpDoors {
  const { wrap = (fetch) => fetch, settings } = breakage;
  const handler = createHandler({
    runs: createRunEvents({ store: createMemoryStore() }),
    authenticate: ({ headers }, wanted) =>
      identify(headers.get("authorization"), headers.get("cookie"), wanted),
    ...settings,
  });
  return {
    baseUrl: "http://memory.example",
    tokens: TOKENS,
    cookieFor: (token) => `session=${token}`,
    fetch: wrap((request) => handler.fetch(request)),
  };
}
