import { createMemoryStore, createRunEvents, type RunEventStore } from "@tm/run-events-core";
import { createHandler, type HandlerOptions } from "@tm/run-events-http";
import type { Fetch, HttpDoors } from "@tm/run-events-conformance/http";

const USERS = ["ada", "bob"] as const;

/** Parts of the server that a mutant breaks. */
export interface ServerBreakage {
  /** What stands in front of the real handler. */
  readonly wrap?: (fetch: Fetch) => Fetch;
  /** The handler's settings. */
  readonly settings?: Partial<HandlerOptions<Request>>;
  /** The store below it. */
  readonly store?: (store: RunEventStore) => RunEventStore;
}

/** The `Request` to `Response` handler over a memory store, without a port: `Bearer ada` and `session=ada` are both ada's. */
export function memoryServerDoors(breakage: ServerBreakage = {}): HttpDoors {
  const { wrap = (fetch) => fetch, settings, store = (real) => real } = breakage;
  const runs = createRunEvents({ store: store(createMemoryStore()) });
  const handler = createHandler({
    runs,
    authenticate({ headers }, wanted) {
      const bearer = userIn(/^Bearer (\w+)$/, headers.get("authorization"));
      const session = userIn(/\bsession=(\w+)/, headers.get("cookie"));
      if (session !== null && (wanted === "session" || !headers.has("authorization"))) {
        return { userId: session, credential: "session" };
      }
      return bearer === null ? null : { userId: bearer, credential: "bearer" };
    },
    ...settings,
  });
  return {
    baseUrl: "http://memory.example",
    tokens: USERS,
    cookieFor: (token) => `session=${token}`,
    fetch: wrap((request) => handler.fetch(request)),
  };
}

function userIn(pattern: RegExp, header: string | null): string | null {
  const user = pattern.exec(header ?? "")?.[1];
  return USERS.find((known) => known === user) ?? null;
}
