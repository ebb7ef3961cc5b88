import type { IdleQuery, RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { LIMITS } from "../memory-server.ts";
import { mapAnswers, type ServerMutant, withBody } from "./server-mutant.ts";

const OWNER = "ada";
/** Longer than the kit waits. */
const NEVER_MS = 9_000_000;

/** The server ends all running runs for which this holds, no matter who has them. */
function sweepBy(
  isDue: (run: RunRecord, query: IdleQuery, nowMs: number) => boolean,
): Pick<ServerMutant, "idleStore"> {
  return {
    idleStore: (store): RunEventStore => ({
      ...store,
      async listIdle(query) {
        if (query.runStatus !== "running") return store.listIdle(query);
        const asked = { ownerId: OWNER, runStatus: query.runStatus, before: null, limit: 100 };
        const nowMs = await store.probe();
        const runs = await store.listRuns(asked);
        return runs.filter((run) => isDue(run, query, nowMs)).map(({ runId }) => runId);
      },
      append: (requests) =>
        store.append(
          requests.map((request) =>
            request.appender.by === "sweeper" ? { ...request, appender: { by: "owner" } } : request,
          ),
        ),
    }),
  };
}

/** Every page passes through `change` as text. */
function mapPages(change: (text: string) => string): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) => {
    const isPage = answer.leaf === "/events" && answer.request.method === "GET";
    return isPage && answer.status === 200 ? withBody(answer, change(answer.text)) : null;
  });
}

/** Servers that end runs badly on which no worker works. */
export const sweepMutants: readonly ServerMutant[] = [
  {
    name: "keeps runs for ever that no worker starts",
    clause: "W37",
    limits: { queuedForMs: NEVER_MS },
  },
  {
    name: "keeps running runs for ever that no worker has",
    clause: "W37",
    limits: { idleForMs: NEVER_MS },
  },
  {
    name: "keeps waiting runs for ever that no worker has",
    clause: "W37",
    limits: { waitingForMs: NEVER_MS },
  },
  {
    name: "ends queued runs by the limit of running ones",
    clause: "W37",
    limits: { queuedForMs: LIMITS.idleForMs },
  },
  {
    name: "ends running runs after half their limit",
    clause: "W37",
    limits: { idleForMs: LIMITS.idleForMs / 2 },
  },
  {
    name: "ends waiting runs by the limit of running ones",
    clause: "W37",
    limits: { waitingForMs: LIMITS.idleForMs },
  },
  {
    name: "counts how long a running run is idle from its creation",
    clause: "W37",
    ...sweepBy(
      ({ createdAtMs, leaseExpiresAtMs }, { idleForMs }, nowMs) =>
        leaseExpiresAtMs === null && createdAtMs <= nowMs - idleForMs,
    ),
  },
  {
    name: "counts how long a running run is idle from its last event alone",
    clause: "W37",
    ...sweepBy(
      ({ updatedAtMs, leaseExpiresAtMs }, { idleForMs }, nowMs) =>
        leaseExpiresAtMs === null && updatedAtMs <= nowMs - idleForMs,
    ),
  },
  {
    name: "counts how long a running run is idle from its last release alone",
    clause: "W37",
    ...sweepBy(
      ({ idleFromMs, leaseExpiresAtMs }, { idleForMs }, nowMs) =>
        leaseExpiresAtMs === null && idleFromMs <= nowMs - idleForMs,
    ),
  },
  {
    name: "ends running runs without events though a worker has them",
    clause: "W37",
    ...sweepBy(({ updatedAtMs }, { idleForMs }, nowMs) => updatedAtMs <= nowMs - idleForMs),
  },
  {
    name: "calls every run abandoned that the system ends",
    clause: "W43",
    ...mapPages((text) => text.replaceAll("never_started", "abandoned")),
  },
  {
    name: "explains in words why the system ended a run",
    clause: "W43",
    ...mapPages((text) =>
      text.replaceAll('"never_started"', '"never_started","message":"No worker came."'),
    ),
  },
];
