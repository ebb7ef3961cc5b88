import { RunEventsError } from "@tm/run-events-core";
import { append, event, events, land } from "../append-request.ts";
import { assertKept, isSame, show } from "../assert.ts";
import { claim, heldUntil, LONG_MS } from "../lease.ts";
import { createRun, readPage } from "../read-log.ts";
import { HASTY, type KitStore, kitStore, OWNER } from "../kit-store.ts";
import { type Settled, settledNow } from "../settled.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { KEYED } from "./writing-calls.ts";

/** A call of a store whose server may lack what others wrote. */
interface StaleCall {
  readonly name: string;
  /** The clause that a stale answer breaks. */
  readonly clause: string;
  readonly send: (store: KitStore) => Promise<unknown>;
  /** The answer that is allowed apart from a refusal; missing if the call would write. */
  readonly truth?: unknown;
}

/** Cases of S10 and S5 in `STORE.md`: what a store may answer while its server is a replica. */
export const staleReplicas: readonly TrialCase[] = [
  {
    name: "S10 while a store's server is a replica, a call is refused or gets the current state, never an older one",
    needs: "refuseWrites",
    run: answersNothingStale,
  },
];

async function answersNothingStale(trial: Trial): Promise<void> {
  const [store, other] = await trial.stores();
  // A store object that is alone with its data cannot have missed anything.
  if (other === undefined) return;
  for (const runId of ["moved", "ended", "held", "gone"]) {
    await createRun(store, runId);
    await land(store, runId, events(1));
  }
  await land(store, "gone", [event("RUN_COMPLETED")]);
  const restore = await trial.beneath.refuseWrites(store.inner);
  const landing = await land(other, "moved", events(1), KEYED);
  await land(other, "ended", [event("RUN_FAILED")]);
  const { leaseExpiresAtMs } = await claim(other, "held");
  await other.deleteRun("gone");
  await createRun(other, "new");
  await land(other, "new", events(1));
  const calls = [
    ...appends({ outcome: "replayed", ...landing }),
    ...others(heldUntil(leaseExpiresAtMs)),
    ...(await reads(other)),
  ];
  // Each with a queue of its own: core decides those to one run in one go, and one of them writes.
  const answers = calls.map(({ send }) => send(kitStore(store.inner, HASTY)));
  const settled = await settledNow(answers);
  for (const [index, call] of calls.entries()) assertTrue(call, settled[index] ?? "waiting");
  await restore();
  await within(0, Promise.allSettled(answers), "all calls to be settled when writes pass again");
  for (const runId of ["moved", "ended", "held", "new"]) {
    const [seen, there] = [await readPage(store, runId), await readPage(other, runId)];
    assertKept("S10", isSame(seen, there), `${runId} is seen as it is when writes pass again`);
  }
}

function appends(replayed: unknown): readonly StaleCall[] {
  const clause = "S5";
  return [
    {
      name: "an append to a run that was created since",
      clause,
      send: (store) => append(store, "new", events(1)),
    },
    {
      name: "an append under a key that has landed since",
      clause,
      send: (store) => append(store, "moved", events(1), KEYED),
      truth: replayed,
    },
    {
      name: "an append that expects the sequence of before",
      clause,
      send: (store) => append(store, "moved", events(1), { expectedSequence: 1 }),
      truth: { outcome: "sequence_conflict", lastSequence: 2 },
    },
    {
      name: "an append that expects the sequence of now",
      clause,
      send: (store) => append(store, "moved", events(1), { expectedSequence: 2 }),
    },
    {
      name: "an append to a run that has ended since",
      clause,
      send: (store) => append(store, "ended", events(1)),
      truth: { outcome: "finished", runStatus: "failed", lastSequence: 2 },
    },
  ];
}

function others(claimed: unknown): readonly StaleCall[] {
  return [
    {
      name: "a creation of a run that was deleted since",
      clause: "S16",
      send: (store) => store.createRun({ runId: "gone", ownerId: OWNER, metadata: "null" }),
    },
    {
      name: "a deletion of a run that was deleted since",
      clause: "S17",
      send: (store) => store.deleteRun("gone"),
      truth: "not_found",
    },
    {
      name: "a deletion of a run that has ended since",
      clause: "S17",
      send: (store) => store.deleteRun("ended"),
    },
    {
      name: "a claim of a run that was claimed since",
      clause: "S21",
      send: (store) => store.claim({ runId: "held", leaseMs: LONG_MS }),
      truth: claimed,
    },
    {
      name: "a claim of a run that was created since",
      clause: "S21",
      send: (store) => store.claim({ runId: "new", leaseMs: LONG_MS }),
    },
  ];
}

async function reads(other: KitStore): Promise<readonly StaleCall[]> {
  const sends: Readonly<Record<string, StaleCall["send"]>> = {
    "the head of a run that has moved since": (store) => store.getRun("moved"),
    "the head of a run that was created since": (store) => store.getRun("new"),
    "the head of a run that was deleted since": (store) => store.getRun("gone"),
    "a page of a run that has moved since": (store) => readPage(store, "moved"),
    "a page of a run that was created since": (store) => readPage(store, "new"),
    "the list": (store) =>
      store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 10 }),
    "the list of runs that have failed": (store) =>
      store.listRuns({ ownerId: OWNER, runStatus: "failed", before: null, limit: 10 }),
  };
  const calls: StaleCall[] = [];
  for (const [name, send] of Object.entries(sends)) {
    calls.push({ name, clause: "S10", send, truth: await send(other) });
  }
  return calls;
}

/** @throws Error unless the call waits, is refused, or is answered with what is true */
function assertTrue(call: StaleCall, settled: Settled): void {
  if (settled === "waiting") return;
  const { name, clause } = call;
  const answer = "error" in settled ? settled.error : settled.answer;
  if (answer instanceof RunEventsError && answer.code === "store_unavailable") return;
  const expected = "truth" in call ? `, or answered with ${show(call.truth)}` : "";
  assertKept(
    clause,
    "truth" in call && isSame(answer, call.truth),
    `${name} is refused${expected}, got ${answer instanceof Error ? String(answer) : show(answer)}`,
  );
}
