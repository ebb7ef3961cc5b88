import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpCases } from "../http-trial.ts";
import { pause } from "../pause.ts";
import {
  fenced,
  keyed,
  leaseOf,
  type LeaseText,
  LONG_LEASE_MS,
  receiptOf,
  SHORTEST_LEASE_MS,
  type WireRun,
} from "../wire-run.ts";
import { newTopic, runsIn, type WireUser } from "../wire-user.ts";

const LONGEST_LEASE_MS = 3_600_000;
/** When the shortest lease has expired by a store's clock that is a little slower than the kit's. */
const EXPIRED_MS = SHORTEST_LEASE_MS + 100;
/** The time that two answers may take. It bounds a hang, not the speed of a server. */
const TWO_ANSWERS_MS = 20_000;
const NAMES: readonly string[] = ["w-1", " W 1 ", '"w\\', "te\u0301a", "\u{1f375}".repeat(100)];

/** Fails unless the run is refused as claimed up to the end of this lease. */
async function assertClaimed(run: WireRun, { expiresAt }: LeaseText): Promise<void> {
  assertProblem(await run.ask(), 409, "claimed", { expiresAt });
}

/** Fails unless the run's snapshot has exactly this lease, by itself and in the list of its topic. */
async function assertLease(
  owner: WireUser,
  run: WireRun,
  topic: string,
  lease: unknown,
): Promise<void> {
  const [listed] = runsIn(await owner.list({ topic }));
  for (const snapshot of [await run.read(), listed]) {
    assertEqual(snapshot?.["lease"], lease, `the lease of ${run.id}, alone and in a list`);
  }
}

/** Appends one event, as JSON and as a line. */
async function appendBoth(run: WireRun, fence?: number): Promise<readonly Answer[]> {
  const headers = fence === undefined ? {} : fenced(fence);
  return [await run.append(["NOTE"], headers), await run.lines('{"eventType":"NOTE"}\n', headers)];
}

/** Cases of W31, W32, W36 and W44 in `WIRE.md`: who has a run, and who may write to it. */
export const leases: HttpCases = {
  "W31 a claim gives a fence and the time when the lease expires, from a second to an hour":
    async ({ owner }) => {
      for (const leaseMs of [SHORTEST_LEASE_MS, LONG_LEASE_MS, LONGEST_LEASE_MS]) {
        const run = await owner.record();
        const { createdAt } = await run.read();
        const { expiresAt } = await run.claim({ leaseMs });
        const runsMs = Date.parse(expiresAt) - Date.parse(String(createdAt));
        assert(
          runsMs >= leaseMs && runsMs <= leaseMs + TWO_ANSWERS_MS,
          `a lease of ${leaseMs} ms expires so long after ${String(createdAt)}, got ${expiresAt}`,
        );
        const { lastSequence, runStatus } = await run.read();
        assertEqual([lastSequence, runStatus], [0, "queued"], "the run: a claim is no event");
      }
    },
  "W31 a release frees the run for a claim with a higher fence, and the old one is stale": async ({
    owner,
  }) => {
    const run = await owner.record("NOTE");
    const first = await run.claim();
    const given = await run.release(first.fence);
    assertEqual([given.status, given.text], [204, ""], `the answer to ${given.to}`);
    assertProblem(await run.renew(first.fence), 409, "fenced");
    const second = await run.claim();
    assert(second.fence > first.fence, `a fence is above ${first.fence}, got ${second.fence}`);
    for (const fence of [first.fence, second.fence + 1]) {
      assertProblem(await run.renew(fence), 409, "fenced");
      assertProblem(await run.release(fence), 409, "fenced");
    }
    await assertClaimed(run, second);
  },
  "W31 an expired lease lasts until another worker claims the run": async ({ owner }) => {
    const [late, lost] = [await owner.record(), await owner.record()];
    const leaseMs = SHORTEST_LEASE_MS;
    const [first, other] = [await late.claim({ leaseMs }), await lost.claim({ leaseMs })];
    await pause(EXPIRED_MS);
    const lease = leaseOf(await late.renew(first.fence));
    assertEqual(lease.fence, first.fence, "the fence of a renewal that came late");
    await assertClaimed(late, lease);
    assertProblem(await lost.append(["NOTE"]), 409, "fenced");
    await lost.land(["NOTE"], fenced(other.fence));
    const { fence } = await lost.claim();
    assert(fence > other.fence, `a fence is above ${other.fence}, got ${fence}`);
    assertProblem(await lost.renew(other.fence), 409, "fenced");
    assertProblem(await lost.append(["NOTE"], fenced(other.fence)), 409, "fenced");
    await lost.assertLength(1);
  },
  "W31 claiming, renewing or releasing a finished run is run_finished": async ({ owner }) => {
    const [unclaimed, claimed] = [await owner.record("NOTE"), await owner.record("NOTE")];
    const { fence } = await claimed.claim();
    await unclaimed.land(["RUN_FAILED"]);
    await claimed.land(["RUN_FAILED"], fenced(fence));
    assertEqual((await claimed.read())["lease"], null, "the lease of a run that has ended");
    for (const run of [unclaimed, claimed]) {
      for (const answer of [await run.ask(), await run.renew(fence), await run.release(fence)]) {
        const members = { runStatus: "failed", lastSequence: 2 };
        assertProblem(answer, 409, "run_finished", members);
      }
    }
  },
  "W31 a claim under a key gets its lease again, and one under another key does not": async ({
    owner,
  }) => {
    const run = await owner.record();
    const first = leaseOf(await run.ask({}, keyed("one")));
    assertEqual(leaseOf(await run.ask({}, keyed("one"))), first, "the claim that came again");
    const { expiresAt } = first;
    assertProblem(await run.ask({}, keyed("other")), 409, "claimed", { expiresAt });
  },
  "W32 a claimed run takes appends with its fence, and no others; an unclaimed one those without a fence only":
    async ({ owner }) => {
      const run = await owner.record();
      const first = await run.claim();
      assertStatus(await run.release(first.fence), 204);
      for (const answer of await appendBoth(run, first.fence)) {
        assertProblem(answer, 409, "fenced");
      }
      for (const answer of await appendBoth(run)) assertStatus(answer, 201);
      const { fence } = await run.claim();
      for (const other of [undefined, first.fence, fence + 1]) {
        const [events, lines] = await appendBoth(run, other);
        if (events !== undefined) assertProblem(events, 409, "fenced");
        if (lines !== undefined) assertProblem(lines, 409, "fenced", { line: 1 });
      }
      await run.assertLength(2);
      for (const answer of await appendBoth(run, fence)) assertStatus(answer, 201);
      await run.assertLength(4);
    },
  "W32 an append is judged by its key, then the end of the run, its fence and expectedSequence":
    async ({ owner }) => {
      const run = await owner.record();
      const early = ',"expectedSequence":7';
      const first = await run.claim();
      const key = { ...fenced(first.fence), ...keyed("k") };
      const receipt = await run.land(["NOTE"], key);
      assertStatus(await run.release(first.fence), 204);
      const { fence } = await run.claim();
      const again = await run.append(["NOTE"], key);
      assertStatus(again, 200);
      assertEqual(receiptOf(again), { ...receipt, replayed: true }, "the receipt");
      assertProblem(await run.append(["NOTE"], fenced(first.fence), early), 409, "fenced");
      const ahead = await run.append(["NOTE"], fenced(fence), early);
      assertProblem(ahead, 412, "sequence_conflict", { lastSequence: 1 });
      await run.land(["RUN_COMPLETED"], fenced(fence));
      for (const late of [undefined, first.fence, fence]) {
        for (const answer of await appendBoth(run, late)) {
          const members = { runStatus: "completed", lastSequence: 2 };
          assertProblem(answer, 409, "run_finished", members);
        }
      }
    },
  "W36 a creation with leaseMs answers 201, the snapshot with its lease, the fence and the end of the lease; one without claims nothing":
    async ({ owner, basePath }) => {
      const answer = await owner.create({ leaseMs: LONG_LEASE_MS, topic: "tea", worker: "w-1" });
      assertStatus(answer, 201);
      const { fence, expiresAt, ...snapshot } = answer.json();
      const run = owner.run(String(snapshot["runId"]));
      assertEqual(answer.headers.get("location"), `${basePath}/${run.id}`, "Location");
      assertEqual(snapshot["lease"], { worker: "w-1", expiresAt }, "the lease in the snapshot");
      assertEqual(await run.read(), snapshot, "the run");
      const runsMs = Date.parse(String(expiresAt)) - Date.parse(String(snapshot["createdAt"]));
      assertEqual(runsMs, LONG_LEASE_MS, "how long the lease lasts");
      await assertClaimed(run, { fence: Number(fence), expiresAt: String(expiresAt) });
      assertProblem(await run.append(["NOTE"]), 409, "fenced");
      await run.land(["NOTE"], fenced(Number(fence)));
      assertStatus(await run.renew(Number(fence)), 200);
      await (await owner.createNew({})).claim();
    },
  "W36 a creation that is sent again under its Idempotency-Key gets the same lease, and one under another does not":
    async ({ owner }) => {
      const runId = `run-${crypto.randomUUID()}`;
      const key = keyed("start");
      const first = (await owner.create({ runId, leaseMs: LONG_LEASE_MS }, key)).json();
      for (const leaseMs of [LONG_LEASE_MS, SHORTEST_LEASE_MS]) {
        const again = await owner.create({ runId, leaseMs }, key);
        assertStatus(again, 200);
        assertEqual(again.json(), first, "the answer to the creation that came again");
      }
      const { expiresAt } = first;
      for (const headers of [{}, keyed("other")]) {
        const other = await owner.create({ runId, leaseMs: LONG_LEASE_MS }, headers);
        assertProblem(other, 409, "claimed", { expiresAt });
      }
    },
  "W44 a run shows its worker's name, if the claim has one, and the end of its lease, alone and in a list, and never the fence":
    async ({ owner }) => {
      const topic = newTopic();
      const run = await owner.createNew({ topic });
      for (const fields of [...NAMES.map((worker) => ({ worker })), {}, { worker: null }]) {
        await assertLease(owner, run, topic, null);
        const { fence, expiresAt } = await run.claim(fields);
        const worker = "worker" in fields ? fields.worker : null;
        await assertLease(owner, run, topic, { worker, expiresAt });
        const renewed = leaseOf(await run.renew(fence, 2 * LONG_LEASE_MS));
        await assertLease(owner, run, topic, { worker, expiresAt: renewed.expiresAt });
        assertStatus(await run.release(fence), 204);
      }
    },
};
