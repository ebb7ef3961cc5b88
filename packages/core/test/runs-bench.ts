import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { RunStart } from "../src/rules/run-starts.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import type { FeedRequest, OpenStream } from "../src/stream/open-stream.ts";
import { Streams, type StreamsOptions } from "../src/stream/streams.ts";
import type { StreamErrorCode } from "../src/wire/stream-error.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink, type FakeSink, type TimedFrame } from "./fake-sink.ts";

/** A stream of many runs over a real log in memory, with a clock that does not move. */
export interface RunsBench {
  readonly log: RunLog;
  readonly clock: FakeClock;
  readonly streams: Streams;
  /** What `authorize` answers from now on. */
  verdict: StreamErrorCode | null;
  /** Appends events of these types, each with this payload. */
  readonly append: (runId: string, types: readonly string[], payload?: unknown) => Promise<void>;
  /** Opens a stream and starts it, of ada's by default. A text is a run to read from its beginning. */
  readonly open: (
    runs: readonly (string | RunStart)[],
    takes?: () => boolean,
    feed?: Partial<FeedRequest>,
    ownerId?: string,
  ) => Promise<{ readonly stream: OpenStream; readonly sink: FakeSink }>;
}

/** @param runIds ada's runs, which are created */
export async function createRunsBench(
  runIds: readonly string[],
  options: StreamsOptions = {},
  store: RunEventStore = createMemoryStore({ now: () => 1_000 }),
): Promise<RunsBench> {
  const clock = createFakeClock();
  const log = createRunLog({ store, clock });
  const streams = new Streams(log, { random: () => 0.5, ...options });
  for (const runId of runIds) await log.createRun({ runId, ownerId: "ada" });
  const bench: RunsBench = {
    log,
    clock,
    streams,
    verdict: null,
    async append(runId, types, payload = null) {
      await log.append(
        runId,
        types.map((eventType) => ({ eventType, payload })),
        { ownerId: "ada" },
      );
    },
    async open(runs, takes = () => true, feed, ownerId = "ada") {
      const stream = streams.openRuns({
        runs: runs.map((run) => (typeof run === "string" ? { runId: run, since: 0 } : run)),
        feed: feed === undefined ? null : { topic: null, have: null, withLast: false, ...feed },
        ownerId,
        authorize: async () => bench.verdict,
      });
      const sink = createFakeSink(() => clock.now(), takes);
      await stream.ready;
      stream.start(sink);
      return { stream, sink };
    },
  };
  return bench;
}

/** Each frame in a few words: its type, its run, and the sequence of an event or of a run's state. */
export function wordsOf(frames: readonly TimedFrame[]): readonly string[] {
  return frames.map(({ data }) => {
    const { type, runId, code, event, run, feed, same, more } = data as {
      readonly type: string;
      readonly runId?: string;
      readonly run?: { readonly runId: string; readonly lastSequence: number };
      readonly feed?: boolean;
      readonly same?: boolean;
      readonly more?: boolean;
      readonly code?: string;
      readonly event?: { readonly sequence: number };
    };
    const words = [
      type,
      runId,
      run?.runId,
      run?.lastSequence,
      feed && "feed",
      same,
      more,
      code,
      event?.sequence,
    ];
    return words.filter((word) => word !== undefined).join(" ");
  });
}

/** The frames of one run, in a few words each. */
export function wordsFor(runId: string, frames: readonly TimedFrame[]): readonly string[] {
  return wordsOf(frames.filter(({ data }) => data["runId"] === runId));
}
