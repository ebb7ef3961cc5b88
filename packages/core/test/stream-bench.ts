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

/** A stream of many runs over a real log in memory, with the wire's own times and a clock that does not move. */
export interface RunsBench {
  readonly log: RunLog;
  readonly clock: FakeClock;
  readonly streams: Streams;
  /** The answer of `authorize` from now on, or the error with which it fails. */
  verdict: StreamErrorCode | null | Error;
  /** Appends events of these types, each with this payload. */
  readonly append: (runId: string, types: readonly string[], payload?: unknown) => Promise<void>;
  /** Opens a stream and starts it, of ada's by default. A text is a run to read from its beginning. */
  readonly open: (
    runs: readonly (string | RunStart)[],
    takes?: () => boolean,
    feed?: Partial<FeedRequest>,
    ownerId?: string,
  ) => Promise<Opened>;
  /** Starts a stream once it is ready. */
  readonly start: (
    open: (authorize: () => Promise<StreamErrorCode | null>) => OpenStream,
    takes?: () => boolean,
  ) => Promise<Opened>;
}

/** A stream, and its transport. */
interface Opened {
  readonly stream: OpenStream;
  readonly sink: FakeSink;
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
  async function authorize(): Promise<StreamErrorCode | null> {
    if (bench.verdict instanceof Error) throw bench.verdict;
    return bench.verdict;
  }

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
    async start(open, takes = () => true) {
      const stream = open(authorize);
      const sink = createFakeSink(() => clock.now(), takes);
      await stream.ready;
      stream.start(sink);
      return { stream, sink };
    },
    open: (runs, takes, feed, ownerId = "ada") =>
      bench.start(
        (check) =>
          streams.openRuns({
            runs: runs.map((run) => (typeof run === "string" ? { runId: run, since: 0 } : run)),
            feed: feed === undefined ? null : { topic: null, have: null, withLast: false, ...feed },
            ownerId,
            authorize: check,
          }),
        takes,
      ),
  };
  return bench;
}

/** Streams of the one run `r`, over the same log. */
export interface StreamBench extends Omit<RunsBench, "append" | "open"> {
  /** Appends events of these types. */
  readonly append: (...eventTypes: readonly string[]) => Promise<void>;
  /** Opens a stream on the run `r` and starts it. */
  readonly open: (since?: number, ownerId?: string, takes?: () => boolean) => Promise<Opened>;
}

export async function createStreamBench(
  options?: StreamsOptions,
  store?: RunEventStore,
): Promise<StreamBench> {
  const bench = await createRunsBench(["r"], options, store);
  const { append, start } = bench;
  return Object.assign(bench as Omit<RunsBench, "append" | "open">, {
    append: (...eventTypes: readonly string[]) => append("r", eventTypes),
    open: (since = 0, ownerId = "ada", takes?: () => boolean) =>
      start((authorize) => bench.streams.open({ runId: "r", ownerId, since, authorize }), takes),
  });
}

/** The reaction of a transport to the end of its stream. */
export function letGo({ stream, sink }: Opened): void {
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
