import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import { claim, release, renew, SHORTEST_LEASE_MS } from "../claims.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { getRun, record } from "../runs.ts";
import { systemEnd } from "../system-end.ts";

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

        const endedAtMs = await systemEnd(trial, lost, {
          since: 1,
          dueMs: SHORTEST_LEASE_MS + leaseGraceMs,
          reason: "lease_expired",
        });
        const lateMs = endedAtMs - Date.parse(expiresAt);
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
