import { type RunEventStore, runOf } from "@tm/run-events-core/store";
import type { Run } from "../../../../core/src/rules/head.ts";
import { appendRequest, event } from "../../../src/append-request.ts";
import { kitStore, OWNER } from "../../../src/kit-store.ts";
import { BY_OWNER } from "../../../src/lease.ts";
import { LIMITS, type ServerBreakage } from "../memory-server.ts";
import { mapPages, type ServerMutants, withBody } from "./server-mutant.ts";

/** Longer than the kit waits. */
const NEVER_MS = 9_000_000;

/** The server ends running runs by this alone, no matter who has them. @param isDue gets the instant that is the limit ago */
function sweepBy(isDue: (run: Run, untilMs: number) => boolean): ServerBreakage {
  async function sweep(store: RunEventStore): Promise<void> {
    const untilMs = (await store.probe()) - LIMITS.idleForMs;
    const query = { ownerId: OWNER, runStatus: "running", topic: null, before: null } as const;
    const runs = (await store.list({ ...query, limit: 100 })).map(runOf);
    const end = event("RUN_FAILED", '{"reason":"abandoned"}');
    const due = runs.filter((run) => isDue(run, untilMs));
    await kitStore(store).append(due.map(({ runId }) => appendRequest(runId, [end], BY_OWNER)));
  }
  return { limits: { idleForMs: NEVER_MS }, sweep };
}

/** Servers that end runs badly on which no worker works. */
export const sweepMutants: ServerMutants = {
  "ends queued runs by the limit of running ones (W37)": {
    limits: { queuedForMs: LIMITS.idleForMs },
  },
  "ends running runs after half their limit (W37)": {
    limits: { idleForMs: LIMITS.idleForMs / 2 },
  },
  "ends waiting runs by the limit of running ones (W37)": {
    limits: { waitingForMs: LIMITS.idleForMs },
  },
  "counts how long a running run is idle from its creation (W37)": sweepBy(
    ({ createdAtMs, leaseExpiresAtMs }, untilMs) =>
      leaseExpiresAtMs === null && createdAtMs <= untilMs,
  ),
  "counts how long a running run is idle from its last release alone (W37)": sweepBy(
    // The index is moved by a release, and by no event.
    ({ dueMs, leaseExpiresAtMs }, untilMs) => leaseExpiresAtMs === null && dueMs <= untilMs,
  ),
  "calls every run abandoned that the system ends (W43)": mapPages((page) =>
    withBody(page, page.text.replaceAll("never_started", "abandoned")),
  ),
  "explains in words why the system ended a run (W43)": mapPages((page) =>
    withBody(
      page,
      page.text.replaceAll('"never_started"', '"never_started","message":"No worker came."'),
    ),
  ),
};
