import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import {
  askFor,
  askUnderKey,
  claim,
  claimTwice,
  leaseCall,
  leaseOf,
  type LeaseText,
  LONG_LEASE_MS,
  release,
  renew,
  SHORTEST_LEASE_MS,
} from "../claims.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { pause } from "../pause.ts";
import { appendCall, getRun, land, record } from "../runs.ts";

const LONGEST_LEASE_MS = 3_600_000;
/** When the shortest lease has expired by a store's clock that is a little slower than the kit's. */
const EXPIRED_MS = SHORTEST_LEASE_MS + 100;
/** The time that two answers may take. It bounds a hang, not the speed of a server. */
const TWO_ANSWERS_MS = 20_000;

/** Fails unless the lease expires so long after it was asked for, which was soon after this time of the store's clock. */
function assertRunsFor(leaseMs: number, { expiresAt }: LeaseText, since: unknown): void {
  const runsMs = Date.parse(expiresAt) - Date.parse(String(since));
  assert(
    runsMs >= leaseMs && runsMs <= leaseMs + TWO_ANSWERS_MS,
    `a lease of ${leaseMs} ms expires so long after ${String(since)}, got ${expiresAt}`,
  );
}

/** Fails unless the run is refused as claimed up to the end of this lease. */
async function assertClaimed(trial: HttpTrial, runId: string, lease: LeaseText): Promise<void> {
  assertProblem(await askFor(trial, runId), 409, "claimed", { expiresAt: lease.expiresAt });
}

/** Bodies without a valid `leaseMs` or `fence`, which no method takes, as JSON or less. */
const NO_LENGTHS = ["0", "-1", "999", "3600001", "1000.5", '"1000"', "null", "true", "[1000]"];
const NO_FENCES = ['"1"', "1.5", "null", "true", "[1]"];
const NO_BODIES = ["", "{", "[]", "null", "1000", "{}"];

/** Cases of W31 in `WIRE.md`: who has a run. */
export const leases: readonly HttpTrialCase[] = [
  {
    name: "W31 a claim gives a fence and the time when the lease expires, from a second to an hour",
    async run(trial) {
      for (const leaseMs of [SHORTEST_LEASE_MS, LONG_LEASE_MS, LONGEST_LEASE_MS]) {
        const runId = await record(trial);
        const before = await getRun(trial, runId);
        const lease = await claim(trial, runId, leaseMs);
        assertRunsFor(leaseMs, lease, before["createdAt"]);
        const { lastSequence, runStatus } = await getRun(trial, runId);
        assertEqual([lastSequence, runStatus], [0, "queued"], "the run: a claim is no event");
      }
    },
  },
  {
    name: "W31 a claim with an invalid Idempotency-Key is 400 and claims nothing",
    async run(trial) {
      const runId = await record(trial);
      for (const key of ["", "~".repeat(129), "kéy"]) {
        assertProblem(await askUnderKey(trial, runId, key), 400, "invalid_request");
      }
      // A run that one of them had claimed would be refused.
      await claim(trial, runId);
    },
  },
  {
    name: "W31 a release frees the run for a claim with a higher fence, and the old one is stale",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const first = await claim(trial, runId);
      const given = await release(trial, runId, first.fence);
      assertEqual([given.status, given.text], [204, ""], `the answer to ${given.to}`);
      assertProblem(await renew(trial, runId, first.fence), 409, "fenced");
      const second = await claim(trial, runId);
      assert(
        second.fence > first.fence,
        `a fence is higher than ${first.fence} before it, got ${second.fence}`,
      );
      for (const fence of [first.fence, second.fence + 1]) {
        assertProblem(await renew(trial, runId, fence), 409, "fenced");
        assertProblem(await release(trial, runId, fence), 409, "fenced");
      }
      await assertClaimed(trial, runId, second);
    },
  },
  {
    name: "W31 an expired lease lasts until another worker claims the run",
    async run(trial) {
      const [late, lost] = [await record(trial), await record(trial)];
      const lateFence = (await claim(trial, late, SHORTEST_LEASE_MS)).fence;
      const lostFence = (await claim(trial, lost, SHORTEST_LEASE_MS)).fence;
      await pause(EXPIRED_MS);
      const lease = leaseOf(await renew(trial, late, lateFence));
      assertEqual(lease.fence, lateFence, "the fence of a renewal that came late");
      await assertClaimed(trial, late, lease);
      const stranger = await trial.send(appendCall(trial, lost, ["NOTE"]));
      assertProblem(stranger, 409, "fenced");
      await land(trial, lost, ["NOTE"], { "run-fence": String(lostFence) });
      const { fence } = await claim(trial, lost);
      assert(fence > lostFence, `a fence is higher than ${lostFence} before it, got ${fence}`);
      assertProblem(await renew(trial, lost, lostFence), 409, "fenced");
      const stale = { "run-fence": String(lostFence) };
      assertProblem(await trial.send(appendCall(trial, lost, ["NOTE"], stale)), 409, "fenced");
      assertEqual((await getRun(trial, lost))["lastSequence"], 1, "lastSequence");
    },
  },
  {
    name: "W31 claiming, renewing or releasing a finished run is run_finished",
    async run(trial) {
      const unclaimed = await record(trial, "NOTE", "RUN_FAILED");
      const claimed = await record(trial, "NOTE");
      const { fence } = await claim(trial, claimed);
      await land(trial, claimed, ["RUN_FAILED"], { "run-fence": String(fence) });
      for (const runId of [unclaimed, claimed]) {
        const asked = [
          askFor(trial, runId),
          renew(trial, runId, fence),
          release(trial, runId, fence),
        ];
        for (const answer of await Promise.all(asked)) {
          assertProblem(answer, 409, "run_finished", { runStatus: "failed", lastSequence: 2 });
        }
      }
    },
  },
  {
    name: "W31 a body that the method does not take is 400 and changes nothing",
    async run(trial) {
      const runId = await record(trial);
      const refuse = async (method: string, body: string): Promise<void> => {
        const answer = await trial.send(leaseCall(trial, runId, method, body));
        assertEqual(answer.status, 400, `the status of ${answer.to} with the body ${body}`);
        assertProblem(answer, 400, "invalid_request");
      };
      for (const body of NO_BODIES) await refuse("POST", body);
      for (const leaseMs of NO_LENGTHS) await refuse("POST", `{"leaseMs":${leaseMs}}`);
      const { first, second } = await claimTwice(trial, runId);
      const { fence } = second;
      assert(fence > first.fence, "a body that was refused has claimed nothing");
      const bodies = [...NO_BODIES, ...NO_FENCES.map((bad) => `{"fence":${bad}}`)];
      for (const body of bodies) await refuse("DELETE", body);
      for (const body of [...bodies, `{"fence":${fence}}`]) await refuse("PUT", body);
      for (const bad of NO_FENCES) await refuse("PUT", `{"fence":${bad},"leaseMs":60000}`);
      for (const bad of NO_LENGTHS) await refuse("PUT", `{"fence":${fence},"leaseMs":${bad}}`);
      await assertClaimed(trial, runId, second);
    },
  },
];
