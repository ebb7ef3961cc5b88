import { createRunEvents } from "@tm/run-events-core";
import { runSubject, serveParent } from "./child.ts";
import { openStore } from "./open-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import { type Cost, measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** How many events a reader asks for, from the end. */
const TAIL = 50;
/** The length of an event's JSON, in bytes. */
const EVENT_BYTES = 300;
/** The most events of one append that fills a log. */
const BATCH_EVENTS = 1_000;

/** A process that reads the ends of the runs of its log. */
export interface TailReader {
  /** Makes a run of this many events. */
  fill(events: number): Promise<void>;
  /** Reads the end of the run of this many events, this many times. */
  read(load: { readonly events: number; readonly reads: number }): Promise<Cost>;
}

async function serve(kind = "", location = ""): Promise<void> {
  const store = await openStore(kind as ReplayStore, location);
  const runs = createRunEvents({ store }).as("owner");
  serveParent<TailReader>({
    async fill(events) {
      const runId = String(events);
      await runs.create({ runId });
      const event = sampleEvent(EVENT_BYTES);
      for (let left = events; left > 0; left -= BATCH_EVENTS) {
        const length = Math.min(left, BATCH_EVENTS);
        await runs.append(
          runId,
          Array.from({ length }, () => event),
        );
      }
    },
    read: ({ events, reads }) =>
      measure(reads, async () => {
        for (let left = reads; left > 0; left--) {
          const page = await runs.read(String(events), { tail: TAIL });
          if (page.events.length !== TAIL || page.events.at(-1)?.sequence !== events)
            throw new Error(`The end of ${events} events is not as it was written.`);
        }
      }),
  });
}

await runSubject({ serve });
