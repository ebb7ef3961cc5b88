import fc from "fast-check";
import { assert, assertEqual } from "../../assert.ts";
import type { Cut } from "../cutting-fetch.ts";
import { type Draft, notes } from "../draft.ts";
import { type AppendedEvent, assertDelivery, type Delivery } from "../judge-delivery.ts";
import type { ReaderTrial, ReaderCases } from "../reader-trial.ts";
import type { ValueOf } from "../value-of.ts";
import type { WireRun } from "../wire-run.ts";

/** Text that is easily lost where bytes are cut: characters of several bytes, and lines that look like a frame. */
const TRICKY: readonly Draft[] = [
  { eventType: "PHASE_STARTED", payload: '{"phase":"caf\u00e9 \u{1f642}\u2028 data: id: 7"}' },
  { eventType: "NOTE", payload: '["\\n\\nid: 9\\n\\n","\\ud83d",1.0]' },
  "RUN_COMPLETED",
];

/** The number of readers at work at once. */
const AT_ONCE = 16;

/** An event as a reader has it: its payload is a value. */
function appendedOf(draft: Draft): AppendedEvent {
  if (typeof draft === "string") return { eventType: draft, payload: null };
  return { eventType: draft.eventType, payload: JSON.parse(draft.payload) as unknown };
}

/** Follows to the end, over connections of which the first are cut, and judges. */
async function assertDelivered(
  trial: ReaderTrial,
  run: WireRun,
  drafts: readonly Draft[],
  since: number,
  cuts: readonly Cut[] = [],
): Promise<void> {
  const places = cuts.map(({ afterBytes, by }) => `${afterBytes} (${by})`);
  const where = cuts.length === 0 ? "" : `Over connections cut after ${places.join(", ")} bytes`;
  const reading = trial.start(run, since, cuts);
  const got: Delivery[number][] = [];
  // One more than it is owed shows that it goes on.
  while (got.length <= drafts.length - since + 1 && got.at(-1) !== "end") {
    const item = await reading.next().catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(where === "" ? why : `${where}: ${why}`, { cause });
    });
    if (item === "end") got.push(item);
    else got.push({ sequence: item.sequence, eventType: item.eventType, payload: item.payload });
  }
  reading.leave();
  assertDelivery(drafts.map(appendedOf), since, got, where);
}

/** Cuts the first connection once at every byte of a finished run's stream. */
async function cutAtEveryByte(trial: ReaderTrial, by: Cut["by"]): Promise<void> {
  const run = await trial.owner.record(...TRICKY);
  const { length } = new TextEncoder().encode(await (await run.tail("since=0")).text());
  const offsets = Array.from({ length: length + 1 }, (_, offset) => offset).values();
  async function work(): Promise<void> {
    for (const afterBytes of offsets) {
      await assertDelivered(trial, run, TRICKY, 0, [{ afterBytes, by }]);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A race may show only now and then: once a journey has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 3;

/** One reader of a run that goes on: where it begins, what is appended, and where its connections break. */
const journey = fc.record({
  /** The number of events that the run has when the reader begins. */
  written: fc.nat(8),
  /** The reader's first cursor. If it is beyond the end of the run, the reader begins at the end. */
  since: fc.nat(8),
  /** The appends that follow, by their sizes. */
  batches: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 10 }),
  cuts: fc.array(
    // After the first `retry:`. Before it a client waits as long as it likes.
    fc.record({
      afterBytes: fc.integer({ min: 40, max: 1_500 }),
      by: fc.constantFrom<Cut["by"]>("error", "end"),
    }),
    { maxLength: 8 },
  ),
});

type Journey = ValueOf<typeof journey>;

/** A journey whose connection is cut again and again. */
const ROUGH: Journey = {
  written: 10,
  since: 2,
  batches: Array.from({ length: 20 }, () => 1),
  cuts: Array.from({ length: 12 }, (_, at) => ({
    afterBytes: 150 + at * 7,
    by: at % 2 === 0 ? "error" : "end",
  })),
};

async function travel(
  trial: ReaderTrial,
  { written, since, batches, cuts }: Journey,
): Promise<void> {
  const later = batches.map((size, at) => notes(size, 100 * (at + 1)));
  const drafts = [...notes(written), ...later.flat(), "RUN_COMPLETED"];
  const run = await trial.owner.record(...drafts.slice(0, written));
  const reading = assertDelivered(trial, run, drafts, Math.min(since, written), cuts);
  // Awaited below, unless an append fails first.
  reading.catch(() => {});
  for (const batch of [...later, ["RUN_COMPLETED"]]) await run.land(batch);
  await reading;
}

/** Cases of W13, W22 and W24 in `WIRE.md`: what a reader makes of a stream. */
export const reading: ReaderCases = {
  "W22 a reader of a finished run gets the events after any cursor once, and one end": async (
    trial,
  ) => {
    const drafts = [...notes(3), ...TRICKY];
    const run = await trial.owner.record(...drafts);
    for (let since = 0; since <= drafts.length; since++) {
      await assertDelivered(trial, run, drafts, since);
    }
  },
  "W22 a reader gets an event while the run is live": async ({ owner, start }) => {
    const run = await owner.record();
    const { next } = start(run, 0);
    for (const [at, draft] of [...notes(3), "RUN_COMPLETED"].entries()) {
      await run.land([draft]);
      const item = await next();
      assertEqual(item === "end" ? item : item.sequence, at + 1, "what is handed over");
    }
    assertEqual(await next(), "end", "what the reader gets after the last event");
  },
  "W24 a cursor past the end of a live run is an error to a reader, not an end": async ({
    owner,
    start,
  }) => {
    const reading = start(await owner.record("NOTE"), 7);
    const said = await reading.next().catch((error: unknown) => error);
    assert(
      said instanceof Error && !said.message.includes("did not come"),
      `the reader rejects, got ${said instanceof Error ? said.message : JSON.stringify(said)}`,
    );
  },
  "W24 over a connection that is lost at any byte a reader gets every event once, and one end": (
    trial,
  ) => cutAtEveryByte(trial, "error"),
  "W24 over an answer that ends at any byte a reader gets every event once, and one end": (trial) =>
    cutAtEveryByte(trial, "end"),
  "W24 over connections that are lost again and again a reader gets what is appended meanwhile, from any cursor":
    (trial) =>
      trial.check(journey, (one) => travel(trial, one), {
        kind: "wirePrograms",
        chances: CHANCES,
        always: [ROUGH],
      }),
  "W13 a reader whose signal is aborted ends, and the run goes on": async ({ owner, start }) => {
    const run = await owner.record("NOTE");
    const { next, leave } = start(run, 0);
    await next();
    const left = next().then(
      (item) => item === "end",
      (error: unknown) => !(error instanceof Error && error.message.includes("did not come")),
    );
    leave();
    assert(await left, "the iteration is over when the signal is aborted");
    await run.land(["NOTE", "RUN_COMPLETED"]);
  },
};
