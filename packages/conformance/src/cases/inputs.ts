import type { RunStatus } from "@tm/run-events-core";
import type { NewEvent } from "@tm/run-events-core/store";
import type { AppendOutcome, AppendRequest } from "../core-calls.ts";
import { append, appendRequest, event, events, land, landingOf } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { BY_INPUT, BY_OWNER, claim, claimExpired, dueRuns, under, untilExpired } from "../lease.ts";
import { listedAs } from "../listed-as.ts";
import { createRun, readLog } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const ASK = [event("INPUT_REQUESTED", '{"question":"?"}')];
const INPUT = [event("INPUT_RECEIVED", '"yes"')];
const TOKEN = [event("TOKEN")];
const END = [event("RUN_COMPLETED")];
/** How often an input races the worker and its owner. */
const RACES = 20;

/** Appends one after another, and the status after each. */
const STEPS: readonly (readonly [batch: readonly NewEvent[], after: RunStatus])[] = [
  [INPUT, "queued"],
  [INPUT, "queued"],
  [TOKEN, "running"],
  [INPUT, "running"],
  [ASK, "waiting"],
  [TOKEN, "waiting"],
  [[event("PHASE_STARTED", '{"phase":"b"}'), event("RUN_STARTED")], "waiting"],
  [[event("PHASE_STARTED", '{"phase":"c"}')], "waiting"],
  [ASK, "waiting"],
  [INPUT, "running"],
  [INPUT, "running"],
  [[event("TOKEN"), ...ASK, event("TOKEN")], "waiting"],
  [INPUT, "running"],
  [TOKEN, "running"],
  [ASK, "waiting"],
  [[event("TOKEN"), ...END], "completed"],
];

/** Cases of S5 in `STORE.md`: a run that waits, and inputs under a lease. */
export const inputs: readonly TrialCase[] = [
  {
    name: "S5 a run waits from a request to the input, and an input leaves a queued run queued",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      for (const [index, [batch, after]] of STEPS.entries()) {
        const store = stores[index % stores.length] ?? trial.store;
        const landing = await land(store, "run", batch, conditionsOf(batch));
        const shown = [landing.runStatus, (await readLog(trial.store, "run")).run.runStatus];
        assertEqual(shown, [after, after], `the status after append ${index}`);
        assertEqual(await listedAs(trial.store, "run"), [after], `the lists after append ${index}`);
      }
      for (const [runId, first, after] of [
        ["asks", ASK, "waiting"],
        ["ends", END, "completed"],
      ] as const) {
        await createRun(trial.store, runId);
        await land(trial.store, runId, INPUT, BY_INPUT);
        const { runStatus } = await land(trial.store, runId, first);
        assertEqual(runStatus, after, `the status of a run that ${runId} after an input`);
      }
    },
  },
  {
    name: "S5 the requests of one call see the status that those before them left",
    async run({ store }) {
      await createRun(store, "run");
      await createRun(store, "other");
      const landings = (
        await store.append(
          STEPS.flatMap(([batch]) => [
            appendRequest("run", batch, conditionsOf(batch)),
            appendRequest("other", TOKEN),
          ]),
        )
      ).map(landingOf);
      assertEqual(
        landings.map(({ runStatus }) => runStatus),
        STEPS.flatMap(([, after]) => [after, "running"]),
        "the statuses",
      );
      await readLog(store, "run");
      assertEqual(await listedAs(store, "run"), ["completed"], "the lists that have the run");
    },
  },
  {
    name: "S5 an input lands on a claimed run, and leaves its lease and its fence as they are",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      const { store } = trial;
      for (const [runId, prepare] of [
        ["unclaimed", () => Promise.resolve(null)],
        ["claimed", () => claim(store, "claimed")],
        ["expired", () => claimExpired(store, "expired")],
      ] as const) {
        await createRun(store, runId);
        const held = await prepare();
        if (held !== null) await land(store, runId, ASK, under(held));
        const before = (await readLog(other, runId)).run;
        const { lastSequence } = await land(other, runId, INPUT, BY_INPUT);
        assertEqual(lastSequence, before.lastSequence + 1, "where the input landed");
        const { run } = await readLog(store, runId);
        assertEqual(
          [run.fence, run.leaseExpiresAtMs],
          [before.fence, before.leaseExpiresAtMs],
          `the lease of the ${runId} run`,
        );
        if (held === null) await land(store, runId, TOKEN);
        else await land(store, runId, TOKEN, under(held));
      }
      assertEqual(await dueRuns(store, "leased"), ["expired"], "the runs whose leases expired");
    },
  },
  {
    name: "S5 an input is judged as other appends: owner, key, end, sequence",
    async run({ store }) {
      await createRun(store, "run");
      const held = await claim(store, "run");
      const keyed = { ...BY_INPUT, idempotencyKey: "key" };
      const stranger = { ...keyed, ownerId: "eve" };
      const refusals = [
        await append(store, "nowhere", INPUT, keyed),
        await append(store, "run", INPUT, stranger),
        await append(store, "run", INPUT, { ...keyed, expectedSequence: 3 }),
      ];
      const conflict = { outcome: "sequence_conflict", lastSequence: 0 };
      const missing = { outcome: "not_found" };
      assertEqual(refusals, [missing, missing, conflict], "the refusals");
      const landing = await land(store, "run", INPUT, { ...keyed, ownerId: OWNER });
      await land(store, "run", END, under(held));
      const other = [event("INPUT_RECEIVED", '"no"')];
      const answers = [
        await append(store, "run", INPUT, keyed),
        await append(store, "run", other, keyed),
        await append(store, "run", INPUT, BY_INPUT),
      ];
      const replayed = { outcome: "replayed", ...landing };
      const finished = { outcome: "finished", runStatus: "completed", lastSequence: 2 };
      const reused = { outcome: "idempotency_key_reused" };
      assertEqual(answers, [replayed, reused, finished], "the answers to the finished run");
      assertEqual((await readLog(store, "run")).events.length, 2, "the number of events");
    },
  },
  {
    name: "S5 a replay has the status and the phase of the first receipt, no matter what the run does now",
    async run({ store }) {
      await createRun(store, "run");
      await createRun(store, "group");
      const requestsOf = (runId: string): readonly AppendRequest[] =>
        STEPS.map(([batch], index) =>
          appendRequest(runId, batch, { ...conditionsOf(batch), idempotencyKey: `key-${index}` }),
        );
      const all = [...requestsOf("run"), ...requestsOf("group")];
      const receipts: AppendOutcome[] = [];
      // One after another, and all in one call.
      for (const request of requestsOf("run")) receipts.push(...(await store.append([request])));
      receipts.push(...(await store.append(requestsOf("group"))));
      assertEqual(
        await store.append(all),
        receipts.map((receipt) => ({ ...landingOf(receipt), outcome: "replayed" })),
        "the replays",
      );
    },
  },
  {
    name: "S5 a run that waits keeps its lease, which may be renewed, expire or be released",
    async run({ store }) {
      await createRun(store, "run");
      const held = await claim(store, "run", 1);
      await land(store, "run", ASK, under(held));
      await untilExpired(store, held);
      const { fence } = held;
      const renewed = await store.renew({ runId: "run", fence, leaseMs: 3_600_000 });
      assertEqual(renewed.outcome, "granted", "the renewal of the waiting run");
      await store.release({ runId: "run", fence });
      assertEqual((await store.getRun("run"))?.runStatus, "waiting", "the released run");
      assertEqual(await dueRuns(store, "leased"), [], "the runs whose leases expired");
      const next = await claim(store, "run");
      assert(next.fence > fence, "the next worker has a higher fence");
      assertEqual(next.runStatus, "waiting", "the run that was claimed again");
      await land(store, "run", INPUT, BY_INPUT);
      await land(store, "run", END, under(next));
      assertEqual((await store.getRun("run"))?.runStatus, "completed", "the run at its end");
    },
  },
  {
    name: "S5 inputs, the worker's appends and a cancel at once: each lands once or finds the run finished",
    async run(trial) {
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(trial.store, runId);
        const held = await claim(trial.store, runId);
        const at = (index: number): KitStore => stores[index % stores.length] ?? trial.store;
        const outcomes = await Promise.all([
          append(at(0), runId, ASK, under(held)),
          append(at(1), runId, INPUT, BY_INPUT),
          append(at(race), runId, events(2), under(held)),
          append(at(race + 1), runId, INPUT, BY_INPUT),
          ...(race % 2 === 0 ? [] : [append(at(0), runId, [event("RUN_CANCELLED")], BY_OWNER)]),
        ]);
        const log = await readLog(trial.store, runId);
        const allowed = race % 2 === 0 ? ["appended"] : ["appended", "finished"];
        const other = outcomes.find(({ outcome }) => !allowed.includes(outcome));
        assertEqual(other, undefined, "an outcome that the race does not explain");
        const landed = outcomes.flatMap((one) =>
          one.outcome === "appended" ? one.lastSequence - one.firstSequence + 1 : 0,
        );
        const count = landed.reduce((sum, one) => sum + one, 0);
        assertEqual(log.events.length, count, "the number of events");
        assertEqual(await listedAs(trial.store, runId), [log.run.runStatus], "the lists");
        if (race % 2 === 0) await land(trial.store, runId, TOKEN, under(held));
      }
    },
  },
];

/** Only an input is by the one who gives it. */
function conditionsOf(batch: readonly NewEvent[]): Partial<Pick<AppendRequest, "appender">> {
  return batch === INPUT ? BY_INPUT : {};
}
