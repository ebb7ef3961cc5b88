import { MAX_PAYLOAD_BYTES, type NewEvent } from "@tm/run-events-core/store";
import type { AppendOutcome } from "../core-calls.ts";
import { append, appendRequest, event, land, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const KNOWN = [event("RUN_STARTED"), event("PHASE_STARTED", '{"phase":"plan"}')];
const OTHER = [event("TOKEN", "1")];

const KEYS = 300;

const LONG = "a".repeat(MAX_PAYLOAD_BYTES - 3);
/** The first is kept under a key, and the others are not it: by types, payloads, bounds, order, the middle or the last byte. */
const LIKE_BATCHES: readonly (readonly [readonly NewEvent[], ...(readonly NewEvent[])[]])[] = [
  [[event("T", "11")], [event("T1", "1")]],
  [[event("RUN_STARTED")], [event("RUN_CANCELLED")]],
  [
    [event("T", "[1]"), event("T", "[2]")],
    [event("T", "[2]"), event("T", "[1]")],
    [event("T", "[1,2]")],
  ],
  [
    [event("T", "1"), event("T", "2"), event("T", "3")],
    [event("T", "1"), event("T", "0"), event("T", "3")],
    [event("T", "1"), event("U", "2"), event("T", "3")],
  ],
  [[event("T", `"${LONG}b"`)], [event("T", `"${LONG}c"`)]],
];

/** The facts that outcomes are judged by. */
interface Facts {
  /** Default: the run's own. */
  readonly owner?: "own" | "any" | "other" | "of no run";
  /** Default none. `known`: used before for the same events; `reused`: for others. */
  readonly key?: "known" | "reused" | "fresh";
  /** Default: asks nothing. */
  readonly expected?: "right" | "wrong" | "largest";
  readonly finished?: true;
  readonly outcome: AppendOutcome["outcome"];
}

const PAIRS: Readonly<Record<string, Facts>> = {
  "not_found comes before a known key": { owner: "other", key: "known", outcome: "not_found" },
  "not_found comes before a reused key": { owner: "other", key: "reused", outcome: "not_found" },
  "not_found comes before finished": { owner: "other", finished: true, outcome: "not_found" },
  "not_found comes before a conflict": { owner: "other", expected: "wrong", outcome: "not_found" },
  "not_found comes before appending": { owner: "other", outcome: "not_found" },
  "a run that does not exist is not_found with any expectedSequence": {
    owner: "of no run",
    key: "known",
    expected: "wrong",
    outcome: "not_found",
  },
  "a known key comes before finished": { key: "known", finished: true, outcome: "replayed" },
  "a known key comes before a conflict": { key: "known", expected: "wrong", outcome: "replayed" },
  "a known key comes before finished and a conflict": {
    key: "known",
    finished: true,
    expected: "wrong",
    outcome: "replayed",
  },
  "a known key comes before appending": { key: "known", expected: "right", outcome: "replayed" },
  "a reused key comes before finished": {
    key: "reused",
    finished: true,
    outcome: "idempotency_key_reused",
  },
  "a reused key comes before a conflict": {
    key: "reused",
    expected: "wrong",
    outcome: "idempotency_key_reused",
  },
  "a reused key comes before appending": {
    key: "reused",
    expected: "right",
    outcome: "idempotency_key_reused",
  },
  "finished comes before a conflict": {
    finished: true,
    key: "fresh",
    expected: "wrong",
    outcome: "finished",
  },
  "finished comes before appending": {
    finished: true,
    expected: "right",
    outcome: "finished",
  },
  "a conflict comes before appending": {
    key: "fresh",
    expected: "wrong",
    outcome: "sequence_conflict",
  },
  "a conflict with the largest sequence there is comes before appending": {
    expected: "largest",
    outcome: "sequence_conflict",
  },
  "an append that nothing refuses lands": {
    key: "fresh",
    expected: "right",
    outcome: "appended",
  },
  "no owner asks nothing": { owner: "any", outcome: "appended" },
};

/** Cases of S5 in `STORE.md`: every pair of the order of outcomes. */
export const outcomes: readonly TrialCase[] = Object.entries(PAIRS).map(([name, facts]) => ({
  name: `S5 ${name}`,
  run: ({ store }) => judge(store, facts),
}));

/** Brings a run into the state of the facts, sends one request, and looks at the outcome and at what it left. */
async function judge(store: KitStore, facts: Facts): Promise<void> {
  await createRun(store, "run");
  const original = await land(store, "run", KNOWN, { idempotencyKey: "known", ownerId: OWNER });
  if (facts.finished) await land(store, "run", [event("RUN_COMPLETED")]);
  const before = await readLog(store, "run");
  const { lastSequence } = before.run;
  const batch = facts.key === "known" ? KNOWN : OTHER;
  const answered = await append(store, facts.owner === "of no run" ? "nowhere" : "run", batch, {
    ownerId: { own: OWNER, any: OWNER, other: "another owner", "of no run": OWNER }[
      facts.owner ?? "own"
    ],
    idempotencyKey: facts.key === undefined ? null : facts.key === "fresh" ? "fresh" : "known",
    expectedSequence:
      facts.expected === undefined
        ? null
        : { right: lastSequence, wrong: lastSequence + 1, largest: Number.MAX_SAFE_INTEGER }[
            facts.expected
          ],
  });
  const landed = lastSequence + 1;
  const phase = '"plan"';
  const outcome = {
    not_found: { outcome: "not_found" },
    idempotency_key_reused: { outcome: "idempotency_key_reused" },
    replayed: { outcome: "replayed", ...original },
    fenced: { outcome: "fenced" },
    finished: { outcome: "finished", runStatus: "completed", lastSequence },
    sequence_conflict: { outcome: "sequence_conflict", lastSequence },
    appended: {
      outcome: "appended",
      firstSequence: landed,
      lastSequence: landed,
      runStatus: "running",
      phase,
    },
  }[facts.outcome];
  assertEqual(answered, outcome, "the outcome");
  const after = await readLog(store, "run");
  const written = facts.outcome === "appended" ? OTHER.length : 0;
  assertEqual(after.events.slice(0, lastSequence), before.events, "the events that were there");
  assertEqual(after.events.length, lastSequence + written, "the number of events after");
  if (written === 0) assertEqual(after.run, before.run, "the run after a refused append");
}

/** Cases of S5 in `STORE.md`: which events a key replays. */
export const idempotencyKeys: readonly TrialCase[] = [
  {
    name: "S5 a refused append uses up no key",
    async run({ store }) {
      const conditions = { idempotencyKey: "key" };
      assertEqual(
        await append(store, "run", OTHER, conditions),
        { outcome: "not_found" },
        "no run",
      );
      await createRun(store, "run");
      await append(store, "run", OTHER, { ...conditions, ownerId: "another owner" });
      await append(store, "run", OTHER, { ...conditions, expectedSequence: 9 });
      const landing = await land(store, "run", KNOWN, conditions);
      assertEqual(landing.firstSequence, 1, "where the key landed at last");
    },
  },
  {
    name: "S5 a key that is sent with other events is refused, and still replays its own",
    async run({ store }) {
      await createRun(store, "run");
      const landing = await land(store, "run", KNOWN, { idempotencyKey: "key" });
      const others = [KNOWN.slice(0, 1), [...KNOWN, ...OTHER], KNOWN.toReversed(), OTHER];
      for (const batch of others) {
        assertEqual(
          await append(store, "run", batch, { idempotencyKey: "key" }),
          { outcome: "idempotency_key_reused" },
          `the key with ${batch.length} other events`,
        );
      }
      const replayed = await append(store, "run", KNOWN, { idempotencyKey: "key" });
      assertEqual(replayed, { outcome: "replayed", ...landing }, "the key with its own events");
    },
  },
  {
    name: "S5 batches that look alike are different batches",
    async run({ store }) {
      await createRun(store, "run");
      for (const [index, [kept, ...others]] of LIKE_BATCHES.entries()) {
        const conditions = { idempotencyKey: `key-${index}` };
        const landing = await land(store, "run", kept, conditions);
        for (const [at, batch] of others.entries()) {
          assertEqual(
            await append(store, "run", batch, conditions),
            { outcome: "idempotency_key_reused" },
            `the key ${index} with the events ${at} that look alike`,
          );
        }
        const replayed = await append(store, "run", kept, conditions);
        assertEqual(replayed, { outcome: "replayed", ...landing }, `the key ${index} with its own`);
      }
    },
  },
  {
    name: "S5 the same JSON value with other text is another event",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", [event("TOKEN", '{"a":1,"b":2}')], { idempotencyKey: "key" });
      for (const payload of ['{"b":2,"a":1}', '{"a":1.0,"b":2}', '{"\\u0061":1,"b":2}']) {
        assertEqual(
          await append(store, "run", [event("TOKEN", payload)], { idempotencyKey: "key" }),
          { outcome: "idempotency_key_reused" },
          `the key with ${payload}`,
        );
      }
    },
  },
  {
    name: "S5 a replay gives the first receipt, even after the run has changed",
    async run({ store }) {
      await createRun(store, "run");
      const first = await land(store, "run", KNOWN, { idempotencyKey: "first" });
      await land(store, "run", [event("PHASE_STARTED", '{"phase":"compose"}')]);
      const ending = [event("TOKEN"), event("RUN_COMPLETED")];
      const last = await land(store, "run", ending, { idempotencyKey: "last" });
      const outcomesOfReplays = await store.append([
        appendRequest("run", KNOWN, { idempotencyKey: "first" }),
        appendRequest("run", ending, { idempotencyKey: "last" }),
      ]);
      assertEqual(
        outcomesOfReplays,
        [first, last].map((landing) => ({ outcome: "replayed", ...landing })),
        "the receipts",
      );
    },
  },
  {
    name: "S5 a key replays its events after any number of later ones",
    async run({ store }) {
      await createRun(store, "run");
      const requests = Array.from({ length: KEYS }, (_, index) =>
        appendRequest("run", [event("TOKEN", `${index}`)], { idempotencyKey: `key-${index}` }),
      );
      const landings = (await store.append(requests)).map(landingOf);
      assertEqual(
        await store.append(requests),
        landings.map((landing) => ({ outcome: "replayed", ...landing })),
        "the receipts",
      );
    },
  },
  {
    name: "S5 a key belongs to its run, and every character of it counts",
    async run({ store }) {
      const keys = ["key", "KEY", "key ", " key", "k", "key%", "'key'"];
      keys.push("~".repeat(128), `${"~".repeat(127)}a`);
      for (const runId of ["run", "RUN"]) {
        await createRun(store, runId);
        for (const [index, idempotencyKey] of keys.entries()) {
          const landing = await land(store, runId, OTHER, { idempotencyKey });
          assertEqual(landing.firstSequence, index + 1, `where ${idempotencyKey} landed`);
        }
      }
    },
  },
];
