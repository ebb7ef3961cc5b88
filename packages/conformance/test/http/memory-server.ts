import type { Fetch, HttpConformanceOptions } from "@tm/run-events-conformance/http";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createHandler, type Handler, type HandlerOptions } from "@tm/run-events-http";
import { answerHostPath } from "./host-paths.ts";
import { createSessions, type SessionBreakage } from "./session-host.ts";
import { identify, TOKENS } from "./users.ts";

/** Parts of the server that a mutant breaks. */
export interface ServerBreakage {
  /** A handler in front of the real one. */
  readonly wrap?: (fetch: Fetch) => Fetch;
  /** The handler's settings. */
  readonly settings?: Partial<HandlerOptions<Request>>;
  /** The fault of the sessions of a server that has `POST /v1/session`, over https. */
  readonly sessions?: SessionBreakage;
  /** The time after a lease's end before the server ends its run. */
  readonly leaseGraceMs?: number;
  /** Other limits for runs that no worker works on. */
  readonly limits?: Partial<typeof LIMITS>;
  /** Ends more of those runs, each time that the server looks for them. */
  readonly sweep?: (store: RunEventStore) => Promise<void>;
}

/** Short enough for a test, and long enough for a busy machine. */
const DEADLINES = { heartbeatMs: 60, stallMs: 150, maxStreamAgeMs: 900, leaseGraceMs: 300 };
/** Each is another, so that none is taken for another. */
export const LIMITS = { queuedForMs: 450, idleForMs: 300, waitingForMs: 600 };
const REAP_MS = 50;
/** When the servers' stores begin to count. */
const START_MS = Date.parse("2026-06-20T12:00:00.000Z");
const DRAIN_MS = 60;
const ALLOWED_ORIGIN = "https://app.example";

/** A store that keeps the time by which the kit waits: a test may let it pass faster than it does. */
function openStore(): RunEventStore {
  return createMemoryStore({ now: () => START_MS + Math.floor(performance.now()) });
}

/** The handler of `Request` and `Response` over a memory store, in a host that has no port. */
export function memoryServerDoors(
  breakage: ServerBreakage = {},
): Omit<HttpConformanceOptions, "name"> {
  const { wrap = (fetch) => fetch, settings, leaseGraceMs = DEADLINES.leaseGraceMs } = breakage;
  const runs = createRunEvents({ store: openStore() });
  const hastyRuns = createRunEvents({ store: openStore() });
  const idleStore = openStore();
  const idleRuns = createRunEvents({ store: idleStore });
  const endedSessions = new Set<string>();
  let sessions = 0;

  function open(deadlines: Partial<HandlerOptions<Request>>): Handler {
    return createHandler({
      runs,
      authenticate({ headers }, wanted) {
        const cookie = headers.get("cookie");
        const session = cookie !== null && endedSessions.has(cookie) ? null : cookie;
        return identify(headers.get("authorization"), session, wanted);
      },
      allowedOrigins: [ALLOWED_ORIGIN],
      ...deadlines,
      ...settings,
    });
  }

  function serve(handlerNow: () => Handler | null): Fetch {
    return wrap(async (request) => {
      const handler = handlerNow();
      if (handler === null) throw new TypeError("The server is not there.");
      return answerHostPath(request) ?? handler.fetch(request);
    });
  }

  let handler: Handler | null = open({});
  const hasty = open({
    runs: hastyRuns,
    heartbeatMs: DEADLINES.heartbeatMs,
    stallMs: DEADLINES.stallMs,
    maxAgeMs: DEADLINES.maxStreamAgeMs,
  });
  const idle = open({ runs: idleRuns });
  const limits = { graceMs: 0, confirmMs: 0, ...LIMITS, ...breakage.limits };
  setInterval(() => {
    void hastyRuns.reap({ graceMs: leaseGraceMs, confirmMs: 0 });
    void idleRuns.reap(limits);
    void breakage.sweep?.(idleStore);
  }, REAP_MS).unref();
  const baseUrl = `${breakage.sessions === undefined ? "http" : "https"}://memory.example`;
  const host = breakage.sessions === undefined ? null : createSessions(breakage.sessions);
  return {
    baseUrl,
    tokens: TOKENS,
    ...(host === null ? { cookieFor: (token) => `session=${token}; number=${++sessions}` } : {}),
    fetch: host === null ? serve(() => handler) : host(serve(() => handler)),
    hostPaths: true,
    allowedOrigin: ALLOWED_ORIGIN,
    endSession: (cookie) => void endedSessions.add(cookie),
    hasty: { ...DEADLINES, baseUrl, fetch: serve(() => hasty) },
    idle: { ...LIMITS, baseUrl, fetch: serve(() => idle) },
    drain: {
      windowMs: DRAIN_MS,
      async begin() {
        await handler?.drain(DRAIN_MS);
        handler = null;
      },
      async restart() {
        handler = open({});
      },
    },
  };
}
