import fc from "fast-check";
import { assert, assertEqual } from "../../assert.ts";
import type { Cut } from "../cutting-fetch.ts";
import { type Draft, notes } from "../draft.ts";
import { assertDelivery } from "../assert-delivery.ts";
import type { AppendedEvent } from "../judge-delivery.ts";
import type { ReaderTrial, ReaderTrialCase } from "../reader-trial.ts";
import { land, pathOf, record } from "../runs.ts";

/** Text that is easily lost where bytes are cut: characters of several bytes, and lines that look like a frame. */
const TRICKY: readonly Draft[] = [
  { eventType: "PHASE_STARTED", payload: '{"phase":"caf\u00e9 \u{1f642}\u2028 data: id: 7"}' },
  { eventType: "NOTE", payload: '["\\n\\nid: 9\\n\\n","\\ud83d",1.0]' },
  "RUN_COMPLETED",
];

/** The number of readers at work at once. */
const AT_ONCE = 16;

/** The events as a reader has them: their payloads are values. */
function logOf(drafts: readonly Draft[]): readonly AppendedEvent[] {
  return drafts.map((draft) =>
    typeof draft === "string"
      ? { eventType: draft, payload: null }
      : { eventType: draft.eventType, payload: JSON.parse(draft.payload) as unknown },
  );
}

/** Follows to the end and judges. */
async function assertDelivered(
  trial: ReaderTrial,
  runId: string,
  drafts: readonly Draft[],
  since: number,
  cuts: readonly Cut[] = [],
): Promise<void> {
  const got = await trial.collect(runId, since, drafts.length - since, cuts).catch((cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(cuts.length === 0 ? why : `${whereCut(cuts)}: ${why}`, { cause });
  });
  const events = got.map((item) => {
    if (item === "end") return item;
    const { sequence, eventType, payload } = item;
    return { sequence, eventType, payload };
  });
  assertDelivery(logOf(drafts), since, events, whereCut(cuts));
}

function whereCut(cuts: readonly Cut[]): string {
  if (cuts.length === 0) return "";
  const places = cuts.map(({ afterBytes, by }) => `${afterBytes} (${by})`);
  return `Over connections cut after ${places.join(", ")} bytes`;
}

/** Cuts the first connection once at every byte of a finished run's stream. */
async function cutAtEveryByte(trial: ReaderTrial, by: Cut["by"]): Promise<void> {
  const runId = await record(trial, ...TRICKY);
  const path = pathOf(runId, "/stream?since=0");
  const { text } = await trial.send({ path, headers: trial.owner.session });
  const { length } = new TextEncoder().encode(text);
  const offsets = Array.from({ length: length + 1 }, (_, offset) => offset).values();
  async function work(): Promise<void> {
    for (const afterBytes of offsets) {
      await assertDelivered(trial, runId, TRICKY, 0, [{ afterBytes, by }]);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A reader's way through a run that goes on. */
interface Journey {
  /** The number of events that the run has when the reader begins. */
  readonly written: number;
  /** The reader's first cursor, or the run's end then if that comes first. */
  readonly since: number;
  /** The appends that follow, by their sizes. */
  readonly batches: readonly number[];
  readonly cuts: readonly Cut[];
}

/** A race may show only now and then: once a journey has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 3;

const journey: fc.Arbitrary<Journey> = fc.record({
  written: fc.nat(8),
  since: fc.nat(8),
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

async function follow(
  trial: ReaderTrial,
  { written, since, batches, cuts }: Journey,
): Promise<void> {
  const later = batches.map((size, at) => notes(size, 100 * (at + 1)));
  const drafts = [...notes(written), ...later.flat(), "RUN_COMPLETED"];
  const runId = await record(trial, ...drafts.slice(0, written));
  const reading = assertDelivered(trial, runId, drafts, Math.min(since, written), cuts);
  // Looked at below, unless an append fails first.
  reading.catch(() => {});
  for (const batch of [...later, ["RUN_COMPLETED"]]) await land(trial, runId, batch);
  await reading;
}

/** Cases of W20, W22 and W24 in `WIRE.md`: what a reader makes of a stream. */
export const reading: readonly ReaderTrialCase[] = [
  {
    name: "W22 a reader of a finished run gets the events after any cursor once, and one end",
    async run(trial) {
      const drafts = [...notes(3), ...TRICKY];
      const runId = await record(trial, ...drafts);
      for (let since = 0; since <= drafts.length; since++) {
        await assertDelivered(trial, runId, drafts, since);
      }
    },
  },
  {
    name: "W22 a reader gets what is appended while it reads, once and in order",
    async run(trial) {
      const batches = [["NOTE"], notes(3), notes(1), notes(20), ["NOTE", "RUN_FAILED"]];
      const runId = await record(trial);
      const drafts = batches.flat();
      const readers = Promise.all(
        [0, 0].map((since) => assertDelivered(trial, runId, drafts, since)),
      );
      // Looked at below, unless an append fails first.
      readers.catch(() => {});
      for (const batch of batches) await land(trial, runId, batch);
      await readers;
    },
  },
  {
    name: "W22 a reader gets an event while the run is live",
    async run(trial) {
      const runId = await record(trial);
      const { next } = trial.start(runId, 0);
      for (const [at, draft] of [...notes(3), "RUN_COMPLETED"].entries()) {
        await land(trial, runId, [draft]);
        const item = await next();
        assertEqual(item === "end" ? item : item.sequence, at + 1, "what is handed over");
      }
      assertEqual(await next(), "end", "what the reader gets after the last event");
    },
  },
  {
    name: "W22 a reader that joins while events are appended gets them once, from its cursor",
    async run(trial) {
      for (const since of [0, 1, 4]) {
        const drafts = [...notes(12), "RUN_CANCELLED"];
        const runId = await record(trial, ...drafts.slice(0, 4));
        const joined = assertDelivered(trial, runId, drafts, since);
        // Looked at below, unless an append fails first.
        joined.catch(() => {});
        for (const draft of drafts.slice(4)) await land(trial, runId, [draft]);
        await joined;
      }
    },
  },
  {
    name: "W24 a cursor past the end of a live run is an error to a reader, not an end",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const said = await trial
        .start(runId, 7)
        .next()
        .catch((error: unknown) => error);
      assert(
        said instanceof Error && !said.message.includes("did not come"),
        `the reader rejects, got ${said instanceof Error ? said.message : JSON.stringify(said)}`,
      );
    },
  },
  {
    name: "W24 over a connection that is lost at any byte a reader gets every event once, and one end",
    run: (trial) => cutAtEveryByte(trial, "error"),
  },
  {
    name: "W24 over an answer that ends at any byte a reader gets every event once, and one end",
    run: (trial) => cutAtEveryByte(trial, "end"),
  },
  {
    name: "W24 over connections that are lost again and again a reader gets what is appended meanwhile",
    run: (trial) =>
      trial.check(journey, (one) => follow(trial, one), {
        kind: "wirePrograms",
        chances: CHANCES,
        always: [ROUGH],
      }),
  },
  {
    name: "W13 a reader whose signal is aborted ends, and the run goes on",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const { next, leave } = trial.start(runId, 0);
      await next();
      const left = next().then(
        (item) => item === "end",
        (error: unknown) => !(error instanceof Error && error.message.includes("did not come")),
      );
      leave();
      assert(await left, "the iteration is over when the signal is aborted");
      await land(trial, runId, ["NOTE", "RUN_COMPLETED"]);
    },
  },
];
