import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import type { OpenStream } from "../src/stream/open-stream.ts";
import { Streams, type StreamsOptions } from "../src/stream/streams.ts";
import type { StreamErrorCode } from "../src/wire/stream-error.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink, type FakeSink } from "./fake-sink.ts";

/** Streams over a real log in memory, with the wire's own times and a clock that does not move. */
export interface StreamBench {
  readonly log: RunLog;
  readonly clock: FakeClock;
  readonly streams: Streams;
  /** What `authorize` answers from now on, or fails with. */
  verdict: StreamErrorCode | null | Error;
  /** Appends events of these types. */
  readonly append: (...eventTypes: readonly string[]) => Promise<void>;
  /** Opens a stream on the run `r` and starts it. */
  readonly open: (
    since?: number,
    ownerId?: string,
    takes?: () => boolean,
  ) => Promise<{ readonly stream: OpenStream; readonly sink: FakeSink }>;
}

export async function createStreamBench(
  options: StreamsOptions = {},
  store: RunEventStore = createMemoryStore({ now: () => 1_000 }),
): Promise<StreamBench> {
  const clock = createFakeClock();
  const log = createRunLog({ store, clock });
  const streams = new Streams(log, { random: () => 0.5, ...options });
  await log.createRun({ runId: "r", ownerId: "ada" });

  async function authorize(): Promise<StreamErrorCode | null> {
    if (bench.verdict instanceof Error) throw bench.verdict;
    return bench.verdict;
  }

  const bench: StreamBench = {
    log,
    clock,
    streams,
    verdict: null,
    async append(...eventTypes) {
      await log.append(
        "r",
        eventTypes.map((eventType) => ({ eventType })),
        { ownerId: "ada" },
      );
    },
    async open(since = 0, ownerId = "ada", takes = () => true) {
      const stream = streams.open({ runId: "r", ownerId, since, authorize });
      const sink = createFakeSink(() => clock.now(), takes);
      await stream.ready;
      stream.start(sink);
      return { stream, sink };
    },
  };
  return bench;
}

/** The reaction of a transport to the end of its stream. */
export function letGo({
  stream,
  sink,
}: {
  readonly stream: OpenStream;
  readonly sink: FakeSink;
}): void {
  sink.cut();
  stream.closed();
}

/** The types of the sent frames, in order. */
export function typesOf({ frames }: FakeSink): readonly unknown[] {
  return frames.map(({ data }) => data["type"]);
}

/** The code in the last frame. */
export function codeOf({ frames }: FakeSink): unknown {
  return frames.at(-1)?.data["code"];
}
