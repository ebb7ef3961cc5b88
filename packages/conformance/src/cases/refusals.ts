import { createRunEvents, RunEventsError } from "@tm/run-events-core";
import { HASTY, type KitStore, kitStore, OWNER } from "../kit-store.ts";
import { append, events, land } from "../append-request.ts";
import { assert, assertEqual, assertKept, assertRefused, inClause, show } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { type Settled, settledNow } from "../settled.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { wrapInner } from "../wrap-store.ts";
import { KEYED, type WritingCall, WRITING_CALLS } from "./writing-calls.ts";

/** Cases of S7, S20 and S31 in `STORE.md`: a store that cannot write for a while. */
export const refusals: readonly TrialCase[] = [
  {
    name: "S31 a store that cannot write refuses appends and probes with a reason, and takes them when it can write again",
    needs: "refuseWrites",
    async run({ store, beneath }) {
      await createRun(store, "run");
      await land(store, "run", events(1));
      await store.probe();
      const restore = await beneath.refuseWrites(store.inner);
      for (const [name, call] of [
        ["a probe", () => store.probe()],
        ["an append", () => append(kitStore(store.inner, HASTY), "run", events(1), KEYED)],
      ] as const) {
        const refused = (): Promise<unknown> =>
          within<unknown>(0, call(), `the refusal of ${name}`);
        const error = await assertRefused(refused, "store_unavailable", name);
        assert(
          error.cause instanceof Error,
          `the refusal of ${name} has the driver's error as its cause`,
        );
      }
      await restore();
      await store.probe();
      await land(store, "run", events(1));
    },
  },
  {
    name: "S7 while writes are refused, a call that writes fails with store_unavailable or waits, and lands once when it is sent again",
    needs: "refuseWrites",
    run: landOnce,
  },
  {
    name: "S7 an append through core while writes are refused lands once when they work again, or never",
    needs: "refuseWrites",
    run: landThroughCore,
  },
];

async function landOnce({ store: patient, beneath }: Trial): Promise<void> {
  const store = kitStore(patient.inner, HASTY);
  for (const call of WRITING_CALLS) await call.prepare(store);
  const restore = await beneath.refuseWrites(store.inner);
  const sent = WRITING_CALLS.map((call) => ({ call, answer: call.send(store) }));
  const settled = await settledNow(sent.map(({ answer }) => answer));
  for (const [index, { call }] of sent.entries())
    assertUnwritten(call, settled[index] ?? "waiting");
  await restore();
  for (const [index, { call, answer }] of sent.entries()) {
    if (settled[index] === "waiting") await assertLandedOrRefused(call, answer);
    await assertLandsOnce(store, call, settled[index] ?? "waiting");
  }
}

function assertUnwritten({ name }: WritingCall, settled: Settled): void {
  if (settled === "waiting") return;
  if ("answer" in settled) {
    const answer = show(settled.answer);
    assertKept("S7", false, `${name} is not answered while writes are refused, got ${answer}`);
  } else {
    assertUnavailable(settled.error, name);
  }
}

function assertUnavailable(error: unknown, what: string): void {
  const isRefusal = error instanceof RunEventsError && error.code === "store_unavailable";
  assertKept("S20", isRefusal, `${what} is refused with store_unavailable, got ${String(error)}`);
  const { cause } = error as RunEventsError;
  assertKept("S20", cause instanceof Error, `the refusal of ${what} has a cause`);
}

/** Checks a call that has waited until writes passed again. */
async function assertLandedOrRefused({ name }: WritingCall, call: Promise<unknown>): Promise<void> {
  await within(0, call, `${name} to be settled when writes pass again`).catch((error: unknown) =>
    assertUnavailable(error, name),
  );
}

async function assertLandsOnce(
  store: KitStore,
  { name, landings, send, isRepeatable }: WritingCall,
  settled: Settled,
): Promise<void> {
  const before = await landings(store);
  const isRefused = settled !== "waiting" && "error" in settled;
  // A call that waited or was in doubt may have landed since.
  const isSure = isRefused && !(settled.error as RunEventsError).ambiguous;
  assertKept("S7", before <= (isSure ? 0 : 1), `${name} that was refused has not landed`);
  if (before === 0 || isRepeatable) {
    await within(0, send(store), `${name} to be answered when writes pass again`);
  }
  const after = await landings(store);
  inClause("S7", () => assertEqual(after, 1, `how often ${name} has landed when it is sent again`));
}

async function landThroughCore({ store, beneath }: Trial): Promise<void> {
  await createRun(store, "run");
  await land(store, "run", events(1));
  const tried = Promise.withResolvers<void>();
  const runs = createRunEvents({
    store: wrapInner(store.inner, {
      append: (plains) => store.inner.append(plains).finally(() => tried.resolve()),
      change: (changes) => store.inner.change(changes).finally(() => tried.resolve()),
    }),
  });
  const restore = await beneath.refuseWrites(store.inner);
  const appending = runs.append("run", [{ eventType: "TOKEN" }], { ownerId: OWNER }).then(
    () => null,
    (error: unknown) => error,
  );
  // The store may let the call wait until writes pass.
  await settledNow([tried.promise]);
  await restore();
  const error = await within(0, appending, "an append to be settled when writes pass again");
  if (error !== null) assertUnavailable(error, "an append");
  const { run } = await readLog(store, "run");
  const expected = error === null ? 2 : 1;
  const answer = error === null ? "was acknowledged" : "was refused";
  inClause("S7", () =>
    assertEqual(run.lastSequence, expected, `lastSequence after an append that ${answer}`),
  );
}
