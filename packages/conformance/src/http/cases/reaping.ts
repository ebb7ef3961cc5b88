import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import { claim, release, renew, SHORTEST_LEASE_MS } from "../claims.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { getRun, type PageText, readPage, record } from "../runs.ts";

const WAIT_S = 2;
/** How much later the end may come. Bounds a hang, not the speed of a server. */
const PATIENCE_MS = 10_000;

/** The page after the first event, as soon as another event lands. */
async function readNext(trial: HttpTrial, runId: string, dueMs: number): Promise<PageText> {
  const query = `since=1&wait=${WAIT_S}`;
  let page = await readPage(trial, runId, query);
  for (let leftMs = dueMs + PATIENCE_MS; leftMs > 0; leftMs -= WAIT_S * 1_000) {
    if (page.events.length > 0) return page;
    page = await readPage(trial, runId, query);
  }
  return page;
}

/** Cases of W33 in `WIRE.md`: runs whose workers died. */
export function reaping(leaseGraceMs: number): readonly HttpTrialCase[] {
  return [
    {
      name: "W33 a run whose lease expired ends as failed after the grace, and one renewed or released does not",
      async run(trial) {
        const renewed = await record(trial, "NOTE");
        const { fence } = await claim(trial, renewed, SHORTEST_LEASE_MS);
        assertStatus(await renew(trial, renewed, fence), 200);
        const released = await record(trial, "NOTE");
        const lease = await claim(trial, released, SHORTEST_LEASE_MS);
        assertStatus(await release(trial, released, lease.fence), 204);
        const lost = await record(trial, "NOTE");
        const { expiresAt } = await claim(trial, lost, SHORTEST_LEASE_MS);

        const page = await readNext(trial, lost, SHORTEST_LEASE_MS + leaseGraceMs);
        const [end] = page.events;
        assertEqual([end?.eventType, page.runStatus], ["RUN_FAILED", "failed"], "the run's end");
        const { reason } = Object(JSON.parse(String(end?.payload))) as {
          readonly reason?: unknown;
        };
        assertEqual(reason, "lease_expired", "the reason of the run's end");
        const { finishedAt } = await getRun(trial, lost);
        const lateMs = Date.parse(String(finishedAt)) - Date.parse(expiresAt);
        assert(
          lateMs >= leaseGraceMs,
          `the run ends at least ${leaseGraceMs} ms after its lease, got ${lateMs}`,
        );
        for (const runId of [renewed, released]) {
          const { lastSequence, runStatus } = await getRun(trial, runId);
          assertEqual([lastSequence, runStatus], [1, "running"], "a run that is not abandoned");
        }
      },
    },
  ];
}
