import { assert, assertEqual } from "../../assert.ts";
import { nextTurn } from "../../next-turn.ts";
import { within } from "../../within.ts";
import { assertDelivery } from "../assert-delivery.ts";
import { appendedOf, type Draft } from "../draft.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { type Delivery, isEvent } from "../judge-delivery.ts";
import { pollToEnd } from "../poll-to-end.ts";
import { appendCall, deliveryOf, land, receiptOf, record, tailLive } from "../runs.ts";

/** Functions with which the kit shuts the server down and starts it again. */
export interface Drain {
  /** The time that the server takes to end its streams, in milliseconds. */
  readonly windowMs: number;
  /** Shuts the server down; resolves when it has ended. */
  readonly begin: () => Promise<void>;
  /** Starts it again on the same data; resolves when it takes requests at the current `baseUrl`. */
  readonly restart: () => Promise<void>;
}

const STREAMS = 6;
const WRITERS = 3;
/** Each writer has this many appends acknowledged before the server is shut down. */
const WARM_UP = 3;

/** An append that was sent, and the sequence of its first event if it was acknowledged. */
interface Sent {
  readonly drafts: readonly [Draft, Draft];
  readonly firstSequence: number | null;
}

/**
 * Appends until the server refuses, or has ended.
 * @param onAcknowledged called with the number of acknowledged appends so far; returns whether to go on
 */
async function writeOn(
  trial: HttpTrial,
  runId: string,
  writer: number,
  onAcknowledged: (count: number) => boolean,
): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (let goesOn = true; goesOn; goesOn = onAcknowledged(sent.length)) {
    const name = `${writer}.${sent.length}`;
    const drafts = [
      { eventType: "NOTE", payload: `"${name}.0"` },
      { eventType: "NOTE", payload: `"${name}.1"` },
    ] as const;
    const answer = await trial.send(appendCall(trial, runId, drafts)).catch(() => null);
    if (answer?.status !== 201) return [...sent, { drafts, firstSequence: null }];
    sent.push({ drafts, firstSequence: receiptOf(answer).firstSequence });
    // A server in this process may answer before anything else has its turn.
    await nextTurn();
  }
  return sent;
}

/** Fails unless each acknowledged append is where its receipt shows, and each other one is there whole or not at all. */
function assertLanded(log: Delivery, sent: readonly Sent[]): void {
  const placeOf = new Map(log.filter(isEvent).map((event) => [event.payload, event.sequence]));
  let events = 0;
  for (const { drafts, firstSequence } of sent) {
    const [first, second] = drafts.map((draft) => placeOf.get(appendedOf(draft).payload));
    const what = JSON.stringify(drafts);
    if (firstSequence !== null) {
      assertEqual(first, firstSequence, `the sequence of ${what}, which was acknowledged`);
    }
    assertEqual(second, first === undefined ? undefined : first + 1, `the second of ${what}`);
    if (first !== undefined) events += 2;
  }
  // One more event ended the run.
  assertEqual(log.filter(isEvent).length, events + 1, "the number of events that were appended");
}

/** Cases of W27 in `WIRE.md`: shutting down. */
export function draining({ windowMs, begin, restart }: Drain): readonly HttpTrialCase[] {
  return [
    {
      name: "W27 a server that shuts down ends its streams as draining, and keeps every append that it acknowledged",
      async run(trial) {
        const runId = await record(trial);
        const opened = Array.from({ length: STREAMS }, () => tailLive(trial, runId));
        const streams = await Promise.all(opened);
        const reading = Promise.all(streams.map((stream) => stream.rest(windowMs)));
        const warm = Promise.withResolvers<void>();
        let warmedUp = 0;
        let isGone = false;
        const writing = Promise.all(
          Array.from({ length: WRITERS }, (_, writer) =>
            writeOn(trial, runId, writer, (count) => {
              if (count === WARM_UP && ++warmedUp === WRITERS) warm.resolve();
              return !isGone;
            }),
          ),
        );
        // Looked at below, unless something fails first.
        for (const side of [reading, writing]) side.catch(() => {});
        const tooEarly = writing.then(() => assert(warmedUp === WRITERS, "appends land before"));
        await Promise.race([warm.promise, tooEarly]);

        try {
          await within(windowMs, begin(), "the end of the server");
        } finally {
          isGone = true;
          // Requests that are still under way must not reach the next server.
          await Promise.allSettled([writing, reading]);
          await restart();
        }
        const [sent, received] = [(await writing).flat(), await reading];
        for (const frames of received) {
          assertEqual(frames.at(-1)?.message["code"], "draining", "the last frame of a stream");
        }
        await trial.withNewSessions(async (after) => {
          await land(after, runId, ["RUN_FAILED"]);
          const log = await pollToEnd(after, runId, 0, 1_000);
          assertLanded(log, sent);
          for (const frames of received) {
            const delivery = deliveryOf(frames);
            assertDelivery(log.slice(0, delivery.length).filter(isEvent), 0, [...delivery, "end"]);
          }
        });
      },
    },
  ];
}
