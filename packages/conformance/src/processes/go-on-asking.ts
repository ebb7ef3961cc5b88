import { setTimeout } from "node:timers/promises";
import type { RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { assertEqual, assertKept, inClause } from "../assert.ts";
import { idOf } from "../history/named-event.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { LONG_MS } from "../lease.ts";
import { listedAs } from "../listed-as.ts";
import { readLog, readRun } from "../read-log.ts";
import { idsUpTo, requestOf, statusAt, type Turn, turnAfter } from "./dialogue.ts";
import { LEASE_MS, PAUSE_MS } from "./leased-calls.ts";

/** How long the lease of a dead worker may keep others away. This bounds a hang, not speed. */
const FREE_WITHIN_MS = 5_000;
/** How many turns are sent again, the youngest. */
const SENT_AGAIN = 10;
/** A person needs none. */
const NO_FENCE = 0;

/**
 * Goes on with a run whose worker or person may be dead, while no other process does: answers, claims it, sends the last turns again, asks,
 * parks the run, and answers and claims it again.
 * @throws BrokenClause if the run is not as its log shows, or a turn is not where it was
 */
export async function goOnAsking(
  client: RecordedClient,
  store: KitStore,
  runId: string,
): Promise<void> {
  await checkDialogue(store, runId);
  const left = turnAfter(await client.head(runId));
  if (left.by === "person") await answerFor(client, store, runId, left);
  const fence = await claimFree(client, runId);
  const question = turnAfter(await client.head(runId));
  const again: Turn[] = [];
  for (let at = 0; at < question.firstSequence - 1; at = again.at(-1)?.lastSequence ?? Infinity) {
    again.push(turnAfter(at));
  }
  for (const turn of again.slice(-SENT_AGAIN)) await send(client, runId, turn, fence);
  await send(client, runId, question, fence);
  await client.lease(runId, "release", fence, 0);
  await checkParked(store, runId, question.lastSequence);
  const answer = turnAfter(question.lastSequence);
  await answerFor(client, store, runId, answer);
  await checkParked(store, runId, answer.lastSequence);
  const next = await client.lease(runId, "claim", null, LONG_MS);
  assertKept("S5", next !== null, `a later worker gets ${runId}, which was parked`);
  await client.lease(runId, "release", next, 0);
}

/** Answers as a person, whether a worker has the run, has died or has parked it. The next worker finds the answer. */
async function answerFor(
  client: RecordedClient,
  store: KitStore,
  runId: string,
  turn: Turn,
): Promise<void> {
  const before = await readRun(store, runId);
  await send(client, runId, turn, NO_FENCE);
  const found = await client.read(runId, turn.firstSequence - 1, 1);
  const { run } = await readRun(store, runId);
  inClause("S5", () => {
    assertEqual(found, turn.lastSequence, `where the answer ends that a reader of ${runId} finds`);
    assertEqual(leaseOf(run), leaseOf(before.run), `the lease of ${runId} after an answer`);
  });
}

function leaseOf({ fence, leaseExpiresAtMs, worker }: RunRecord): Partial<RunRecord> {
  return { fence, leaseExpiresAtMs, worker };
}

/**
 * Holds a run against its log from all sides: head and lists.
 * @throws BrokenClause if it waits without a question, or if a question or an answer is missing, doubled or in another place
 */
export async function checkDialogue(store: KitStore, runId: string): Promise<void> {
  // A call of a dead process may still land meanwhile.
  for (let isOld = true; isOld;) {
    const { run, events } = await readLog(store, runId);
    const { lastSequence } = run;
    const names = idsUpTo(runId, lastSequence);
    const listed = await listedAs(store, runId);
    isOld = (await readRun(store, runId)).run.lastSequence !== lastSequence;
    if (isOld) continue;
    inClause("S5", () => {
      for (const [at, one] of events.entries()) {
        assertEqual(idOf(one), names[at], `event ${at + 1} of ${runId}`);
      }
      assertEqual(run.runStatus, statusAt(lastSequence), `the status of ${runId}`);
      assertEqual(listed, [run.runStatus], `the lists that have ${runId}`);
    });
  }
}

/** A turn has one place, no matter who sends it and how often. */
async function send(
  client: RecordedClient,
  runId: string,
  turn: Turn,
  fence: number,
): Promise<void> {
  const { by, lastSequence } = turn;
  const heads = await client.append([requestOf(runId, turn, fence)]);
  inClause("S5", () =>
    assertEqual(heads.get(runId), lastSequence, `where the turn of the ${by} of ${runId} ends`),
  );
}

async function claimFree(client: RecordedClient, runId: string): Promise<number> {
  const giveUpAt = performance.now() + FREE_WITHIN_MS;
  for (;;) {
    const fence = await client.lease(runId, "claim", null, LONG_MS);
    if (fence !== null) return fence;
    const isLate = performance.now() > giveUpAt;
    assertKept("S5", !isLate, `a worker gets ${runId} after the lease of ${LEASE_MS} ms`);
    await setTimeout(PAUSE_MS);
  }
}

async function checkParked(store: KitStore, runId: string, lastSequence: number): Promise<void> {
  await checkDialogue(store, runId);
  const { run } = await readRun(store, runId);
  inClause("S5", () =>
    assertEqual(
      [run.lastSequence, run.leaseExpiresAtMs, run.worker],
      [lastSequence, null, null],
      `the head, the lease and the worker of ${runId}, which was parked`,
    ),
  );
}
