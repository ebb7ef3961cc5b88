import { expect } from "vitest";
import { createFeeds } from "../src/follow/feeds.ts";
import { createFollowers } from "../src/follow/followers.ts";
import { createRunLog } from "../src/log/create-run-log.ts";
import { RUN_LOG } from "../src/rules/brand.ts";
import type { NewEvent } from "../src/rules/event.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import type { RunEventStore } from "../src/store/store.ts";
import type { FeedRequest, OpenStream } from "../src/stream/open-stream.ts";
import { createStreams, type Streams } from "../src/stream/streams.ts";
import { createDeferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink, type FakeSink } from "./fake-sink.ts";
import { appendRequest } from "./run-record.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

/** A list that waits for the test. */
interface ScriptedList {
  /** Answers with what was there when the call began. */
  answer(): void;
  reject(error: unknown): void;
}

interface Connection {
  readonly stream: OpenStream;
  readonly sink: FakeSink;
  readonly isReset: () => boolean;
  /** How many frames the reader has taken in. */
  taken: number;
}

/** A reader of a feed. When it loses its connection, it comes back with its last cursor. */
export interface FeedReader {
  readonly feed: FeedRequest;
  /** What it has: the JSON of each run. */
  readonly known: Map<string, Readonly<Record<string, unknown>>>;
  cursor: string | null;
  connection: Connection | null;
}

/** Ada's runs, readers of her feeds, and a store whose reads, lists and notifications wait for the test. */
export interface FeedWorld {
  readonly source: ScriptedSource;
  readonly lists: readonly ScriptedList[];
  readonly clock: FakeClock;
  readonly streams: Streams;
  readonly readers: FeedReader[];
  /** The status of each run at each sequence that it had, by the number of its creation and the sequence. */
  readonly history: ReadonlyMap<string, string>;
  /** How far the store's clock is ahead. */
  aheadMs: number;
  change(what: "create" | "delete" | NewEvent, runId: string): Promise<void>;
}

/** Makes a world without runs. */
export function createFeedWorld(): FeedWorld {
  const clock = createFakeClock();
  const source = createScriptedSource(() => clock.now() + world.aheadMs);
  const { store } = source;
  const lists: ScriptedList[] = [];
  const history = new Map<string, string>();
  let created = 0;

  function scripted<Query, Result>(
    call: (query: Query) => Promise<Result>,
  ): (query: Query) => Promise<Result> {
    return (query) => {
      const deferred = createDeferred<Result>();
      const early = call(query);
      const settle = (how: () => void): void => {
        lists.splice(lists.indexOf(list), 1);
        how();
      };
      const list: ScriptedList = {
        answer: () => settle(() => void early.then(deferred.resolve)),
        reject: (error) => settle(() => deferred.reject(error)),
      };
      lists.push(list);
      return deferred.promise;
    };
  }

  const owners = {
    ...source,
    listChanged: scripted((query: Parameters<RunEventStore["listChanged"]>[0]) =>
      store.listChanged(query),
    ),
    listRuns: scripted((query: Parameters<RunEventStore["listRuns"]>[0]) => store.listRuns(query)),
  };
  const log = Object.assign(createRunLog({ store, clock }), {
    [RUN_LOG]: {
      followers: createFollowers(source, clock),
      feeds: createFeeds(owners, clock),
    },
  });
  const world: FeedWorld = {
    source,
    lists,
    clock,
    streams: createStreams(log, { random: () => 0.5 }),
    readers: [],
    history,
    aheadMs: 0,
    async change(what, runId) {
      if (what === "create") {
        created += 1;
        await store.createRun({ runId, ownerId: "ada", metadata: `${created}`, topic: "tea" });
      } else if (what === "delete") await store.deleteRun(runId, null);
      else await store.append([appendRequest([what], { runId })]);
      const run = await store.getRun(runId);
      if (run !== null) history.set(`${run.metadata}:${run.lastSequence}`, run.runStatus);
    },
  };
  return world;
}

/** Opens a connection after what the reader has. */
export function connect(world: FeedWorld, reader: FeedReader, takes: () => boolean): void {
  cutOff(reader);
  const stream = world.streams.openRuns({
    runs: [],
    feed: { ...reader.feed, since: reader.cursor },
    ownerId: "ada",
    authorize: async () => null,
  });
  const sink = createFakeSink(() => world.clock.now(), takes);
  const isFirst = reader.cursor === null;
  reader.connection = { stream, sink, taken: 0, isReset: () => isFirst };
  void stream.ready.then(() => stream.start(sink));
}

export function cutOff(reader: FeedReader): void {
  const { connection } = reader;
  if (connection === null) return;
  takeIn(reader);
  reader.connection = null;
  connection.sink.cut();
  connection.stream.closed();
}

export function isConnected({ connection }: FeedReader): boolean {
  return connection?.sink.state === "open";
}

export function unblock({ connection }: FeedReader): void {
  if (connection === null || connection.sink.fullSinceMs === null) return;
  connection.sink.drain();
  connection.stream.drained();
}

/** What a reader does with the frames that it has got. */
function takeIn(reader: FeedReader): void {
  const { connection } = reader;
  if (connection === null) return;
  for (const { data } of connection.sink.frames.slice(connection.taken)) {
    if (data["type"] === "feed_started" && data["reset"] === true) {
      reader.known.clear();
      reader.cursor = null;
    }
    if (data["type"] === "run") {
      const run = data["run"] as Readonly<Record<string, unknown>>;
      reader.known.set(String(run["runId"]), run);
    }
    if (data["type"] === "run_gone") reader.known.delete(String(data["runId"]));
    if (data["type"] === "feed_cursor") reader.cursor = String(data["cursor"]);
  }
  connection.taken = connection.sink.frames.length;
}

/** Checks every frame of the connection, and takes it in. */
export function checkReader({ history }: FeedWorld, reader: FeedReader): void {
  takeIn(reader);
  const { connection, feed } = reader;
  if (connection === null) return;
  const { sink } = connection;
  expect(sink.faults).toEqual([]);
  const frames = sink.frames.filter(({ data }) => data["type"] !== "heartbeat");
  const types = frames.map(({ data }) => data["type"]);
  if (types.length > 0) expect(types[0]).toBe("stream_opened");
  if (types.length > 1) expect(["feed_started", "error"]).toContain(types[1]);
  const sent = new Map<unknown, number>();
  frames.forEach(({ data, id, retryMs }, at) => {
    expect(id).toBe(undefined);
    switch (data["type"]) {
      case "stream_opened":
      case "stream_finished":
        break;
      case "error":
        expect([data["code"], at >= frames.length - 2]).toEqual(["store_unavailable", true]);
        break;
      case "feed_started":
        if (at === 1 && connection.isReset()) expect(data["reset"]).toBe(true);
        if (at > 1) expect(data["reset"]).toBe(true);
        break;
      case "run": {
        expect(retryMs).toBe(undefined);
        const run = data["run"] as Readonly<Record<string, unknown>>;
        const sequence = Number(run["lastSequence"]);
        expect(history.get(`${run["metadata"] as number}:${sequence}`)).toBe(run["runStatus"]);
        expect(sequence).toBeGreaterThanOrEqual(sent.get(run["metadata"]) ?? 0);
        sent.set(run["metadata"], sequence);
        const last = data["last"] as { readonly sequence: number } | undefined;
        if (!feed.withLast || sequence === 0) expect(last).toBe(undefined);
        break;
      }
      default:
        expect(["run_gone", "feed_cursor"]).toContain(data["type"]);
    }
  });
}

/** Expects that a reader has every live run, and that each run that it has is as it is now. */
export async function expectRight({ source }: FeedWorld, reader: FeedReader): Promise<void> {
  const runs = await source.store.listRuns({
    ownerId: "ada",
    runStatus: null,
    before: null,
    limit: 100,
  });
  const there = new Map(runs.map((run) => [run.runId, stateOf(run)]));
  for (const [runId, run] of reader.known)
    expect([runId, run["metadata"], run["lastSequence"]]).toEqual([
      runId,
      ...(there.get(runId) ?? []),
    ]);
  for (const run of runs)
    if (!isTerminal(run.runStatus)) expect(reader.known.has(run.runId)).toBe(true);
}

function stateOf({ metadata, lastSequence }: RunRecord): readonly unknown[] {
  return [JSON.parse(metadata), lastSequence];
}
