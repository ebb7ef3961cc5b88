import type { IncomingMessage } from "node:http";
import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { problemOf, type Reply } from "@tm/run-events-http";
import type { OwnMethods } from "@tm/run-events-http/node";
import type { Metrics } from "./metrics.ts";
import { shareLook } from "./shared-look.ts";
import type { StoreMonitor } from "./store-monitor.ts";

/** The methods of one path. */
export type Methods = OwnMethods<IncomingMessage>;

/** The server's own paths: all but those of runs. */
export type OwnRoutes = ReadonlyMap<string, Methods>;

/** The time limit for the store's answer, in milliseconds: a prober does not wait for ever. */
const READY_MS = 2_000;

/** The dependencies of the server's own paths. */
export interface OwnRoutesOptions {
  readonly session: Methods;
  readonly console: OwnRoutes;
  readonly metrics: Pick<Metrics, "encode">;
  readonly store: RunEventStore;
  readonly monitor: Pick<StoreMonitor, "health">;
  readonly isDraining: () => boolean;
}

/** Makes the server's own paths. @see clauses W29 and W30 in `WIRE.md` */
export function createOwnRoutes(options: OwnRoutesOptions): OwnRoutes {
  const { session, console, metrics, store, monitor, isDraining } = options;
  const lookAtStore = shareLook(() => untilAnswered(store));
  return new Map<string, Methods>([
    ...console,
    ["/v1/session", session],
    ["/healthz", { GET: () => plain("ok\n") }],
    [
      "/readyz",
      {
        async GET() {
          try {
            if (isDraining()) {
              throw new RunEventsError(
                "store_unavailable",
                "The server is shutting down. Ask another one.",
              );
            }
            const { stalledBy } = monitor.health();
            if (stalledBy !== null) throw stalledBy;
            // The probe may be some seconds old.
            await lookAtStore();
          } catch (error) {
            // Not reported as a failure: the monitor and the shutdown log one line each.
            return problemOf(error);
          }
          return plain("ready\n");
        },
      },
    ],
    [
      "/metrics",
      { GET: () => plain(metrics.encode(), "text/plain; version=0.0.4; charset=utf-8") },
    ],
  ]);
}

/**
 * Waits for an answer of the store.
 * @throws RunEventsError `store_unavailable` if it fails, or does not answer in time
 */
async function untilAnswered(store: RunEventStore): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new RunEventsError(
          "store_unavailable",
          `Expected an answer of the store within ${READY_MS} ms, got none. Check that it runs and can be reached.`,
        ),
      ),
    READY_MS,
  );
  try {
    await Promise.race([store.read([ANY_RUN]), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for a head. It does not matter whether there is such a run: any answer will do. */
const ANY_RUN = { ownerId: "readyz", runId: "readyz", since: 0, limit: 0, maxBytes: 1 };

/**
 * The path of a request's target, without its query. A proxy may send the absolute form.
 * @param target the request's target, as node gives it
 * @see RFC 9112, section 3.2.2
 */
export function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0];
  return path === undefined || path === "" ? "/" : path;
}

function plain(body: string, contentType = "text/plain; charset=utf-8"): Reply {
  return {
    status: 200,
    headers: { "content-type": contentType, "cache-control": "no-store" },
    body,
  };
}
