import { createRunEvents } from "@tm/run-events-core";
import { createStreams, type StreamSink } from "@tm/run-events-core/wire";
import { runSubject, serveParent } from "./child.ts";
import { openStore } from "./open-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import { type Cost, measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** The length of an event's JSON, in bytes. */
const EVENT_BYTES = 300;
/** How many runs change at once. */
const WAVE = 50;

/** What an owner's runs do. */
export interface FeedLoad {
  /** How many live runs the owner has. */
  readonly runs: number;
  /** How many changes there are, in waves of runs that change at once. */
  readonly changes: number;
  /** Whether the owner follows them. */
  readonly isFollowed: boolean;
}

/** A process that has an owner's runs, and may send a feed of them. */
export interface FeedServer {
  /** Makes this many live runs of an owner. */
  fill(runs: number): Promise<void>;
  /** Changes the runs of the owner who has this many, and waits until the feed has sent each change. */
  change(load: FeedLoad): Promise<Cost>;
}

/** A transport that takes everything, and counts the states. */
class CountingSink implements StreamSink {
  #states = 0;
  #owed = Number.POSITIVE_INFINITY;
  #onPaid: (() => void) | null = null;
  readonly #decoder = new TextDecoder();
  readonly #hasBegun: PromiseWithResolvers<void> = Promise.withResolvers();

  write(bytes: Uint8Array): boolean {
    const text = this.#decoder.decode(bytes);
    this.#states += text.split('data: {"type":"run",').length - 1;
    if (text.includes('"type":"feed_version"')) this.#hasBegun.resolve();
    if (this.#states >= this.#owed) this.#onPaid?.();
    return true;
  }

  end(): void {}

  destroy(): void {}

  /** Resolves once the feed has begun. */
  begun(): Promise<void> {
    return this.#hasBegun.promise;
  }

  /** Resolves once this many states more have come. */
  states(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#owed = this.#states + count;
      this.#onPaid = resolve;
    });
  }
}

/** The owner of this many runs. */
function ownerOf(count: number): string {
  return `owner-${count}`;
}

async function serve(kind = "", location = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore(kind as ReplayStore, location) });
  const streams = createStreams(runs.log);
  const events = [sampleEvent(EVENT_BYTES)];
  serveParent<FeedServer>({
    async fill(count) {
      for (let at = 0; at < count; at++)
        await runs.as(ownerOf(count)).create({ runId: `${count}-${at}` });
    },
    async change({ runs: count, changes, isFollowed }) {
      const sink = new CountingSink();
      const stream = streams.openRuns({
        runs: [],
        feed: { topic: null, have: null, withLast: false },
        ownerId: isFollowed ? ownerOf(count) : "other",
        authorize: async () => null,
      });
      await stream.ready;
      stream.start(sink);
      await sink.begun();
      const owned = runs.as(ownerOf(count));
      const cost = await measure(changes, async () => {
        for (let from = 0; from < changes; from += WAVE) {
          const sent = isFollowed ? sink.states(WAVE) : null;
          await Promise.all(
            Array.from({ length: WAVE }, (_, at) =>
              owned.append(`${count}-${(from + at) % count}`, events),
            ),
          );
          await sent;
        }
      });
      stream.closed();
      return cost;
    },
  });
}

await runSubject({ serve });
