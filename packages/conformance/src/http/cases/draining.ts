import { assert, assertEqual } from "../../assert.ts";
import { nextTurn } from "../../next-turn.ts";
import { within } from "../../within.ts";
import type { HttpCases } from "../http-trial.ts";
import { assertDelivery, type Delivery, isEvent } from "../judge-delivery.ts";
import { pollToEnd } from "../readers.ts";
import { deliveryOf, receiptOf, type WireRun } from "../wire-run.ts";

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

/** The payload of an event that was sent, and its sequence if it was acknowledged. */
type Sent = readonly [payload: string, sequence: number | null];

/**
 * Appends until the server refuses, or has ended.
 * @param onAcknowledged gets the number of acknowledged appends so far; returns whether to go on
 */
async function writeOn(
  run: WireRun,
  writer: number,
  onAcknowledged: (count: number) => boolean,
): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (let goesOn = true; goesOn; goesOn = onAcknowledged(sent.length)) {
    const payload = `"${writer}.${sent.length}"`;
    const answer = await run.append([{ eventType: "NOTE", payload }]).catch(() => null);
    if (answer?.status !== 201) return [...sent, [payload, null]];
    sent.push([payload, receiptOf(answer).firstSequence]);
    // A server in this process may answer before anything else has its turn.
    await nextTurn();
  }
  return sent;
}

/** Fails unless each acknowledged event has its receipt's sequence, and nothing landed but events that were sent, and the end. */
function assertLanded(log: Delivery, sent: readonly Sent[]): void {
  const placeOf = new Map(log.filter(isEvent).map((event) => [event.payload, event.sequence]));
  for (const [payload, sequence] of sent) {
    if (sequence === null) continue;
    assertEqual(placeOf.get(payload), sequence, `the sequence of ${payload}, acknowledged`);
  }
  const landed = sent.filter(([payload]) => placeOf.has(payload));
  assertEqual(log.filter(isEvent).length, landed.length + 1, "the number of events that landed");
}

/** The case of W27 in `WIRE.md`: shutting down. */
export function draining({ windowMs, begin, restart }: Drain): HttpCases {
  return {
    "W27 a server that shuts down ends its streams as draining, and keeps every append that it acknowledged":
      async ({ owner, withNewSessions }) => {
        const run = await owner.record();
        const streams = await Promise.all(Array.from({ length: STREAMS }, () => run.live()));
        const reading = Promise.all(streams.map((stream) => stream.rest(windowMs)));
        const warm = Promise.withResolvers<void>();
        let warmedUp = 0;
        let isGone = false;
        const writing = Promise.all(
          Array.from({ length: WRITERS }, (_, writer) =>
            writeOn(run, writer, (count) => {
              if (count === WARM_UP && ++warmedUp === WRITERS) warm.resolve();
              return !isGone;
            }),
          ),
        );
        // Awaited below, unless something fails first.
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
        await withNewSessions(async (after) => {
          const same = after.owner.run(run.id);
          await same.land(["RUN_FAILED"]);
          const log = await pollToEnd(same, 0, 1_000);
          assertLanded(log, sent);
          for (const frames of received) {
            const delivery = deliveryOf(frames);
            assertDelivery(log.slice(0, delivery.length).filter(isEvent), 0, [...delivery, "end"]);
          }
        });
      },
  };
}
