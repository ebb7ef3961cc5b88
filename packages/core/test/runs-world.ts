import { expect } from "vitest";
import type { NewEvent } from "../src/rules/event.ts";
import type { RunName } from "../src/rules/head.ts";
import { foldEvent, INITIAL_STATE, isTerminal, type RunState } from "../src/rules/lifecycle.ts";
import type { OpenStream } from "../src/stream/open-stream.ts";
import { Streams } from "../src/stream/streams.ts";
import { checkFrames, checkState } from "./check-conversation.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink, drainingEarly, type FakeSink, type TimedFrame } from "./fake-sink.ts";
import { appendRequest } from "./run-record.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";
import { scriptedLog } from "./stream-world.ts";

/** Ada's runs, one of bob's, and one that does not exist. */
export const OWN = ["a", "b", "c", "d"] as const;
export const FOREIGN = ["bobs", "none"] as const;

function nameOf(runId: string): RunName {
  return { ownerId: runId === "bobs" ? "bob" : "ada", runId };
}

/** One connection of a reader, with the cursors that it asked for. */
interface Connection {
  readonly starts: ReadonlyMap<string, number>;
  readonly stream: OpenStream;
  readonly sink: FakeSink;
}

/** A reader of many runs. When it loses its connection, it comes back with its newest cursors. */
export interface RunsReader {
  readonly runs: readonly string[];
  readonly connections: Connection[];
}

/** Runs, readers of some of them, and a store whose reads and notifications wait for the test. */
export interface RunsWorld {
  readonly source: ScriptedSource;
  readonly clock: FakeClock;
  readonly streams: Streams;
  readonly readers: RunsReader[];
  readonly logs: ReadonlyMap<string, NewEvent[]>;
  readonly removed: Set<string>;
}

/** @param random 0 to 1, for jitters */
export async function createRunsWorld(random: () => number): Promise<RunsWorld> {
  const source = createScriptedSource();
  const clock = createFakeClock();
  for (const runId of [...OWN, "bobs"]) {
    await source.writes.create(nameOf(runId));
  }
  return {
    source,
    clock,
    streams: new Streams(scriptedLog(source, clock), { random }),
    readers: [],
    logs: new Map([...OWN, "bobs"].map((runId) => [runId, []])),
    removed: new Set(),
  };
}

/** Appends to a run unless it has ended. */
export function record(
  { logs, source }: RunsWorld,
  runId: string,
  events: readonly NewEvent[],
): void {
  const log = logs.get(runId);
  if (log === undefined || isTerminal(log.reduce<RunState>(foldEvent, INITIAL_STATE).runStatus))
    return;
  log.push(...events);
  void source.writes.append(appendRequest(events, nameOf(runId)));
}

/** Opens a connection for the runs that the reader has not seen the end of, after the last event that it has of each. */
export function connect(world: RunsWorld, reader: RunsReader, takes: () => boolean): void {
  const starts = new Map(cursorsOf(reader));
  if (starts.size === 0) return;
  cutOff(reader);
  const stream = world.streams.openRuns({
    runs: [...starts].map(([runId, since]) => ({ runId, since })),
    feed: null,
    ownerId: "ada",
    authorize: async () => null,
  });
  const sink = createFakeSink(() => world.clock.now(), takes);
  reader.connections.push({ starts, stream, sink });
  void stream.ready.then(() => stream.start(drainingEarly(sink, stream, takes)));
}

/** Where the reader is in each of its runs that has not had its last frame. */
function cursorsOf({ runs, connections }: RunsReader): readonly (readonly [string, number])[] {
  return runs.flatMap((runId) => {
    let cursor = 0;
    for (const { sink } of connections)
      for (const { data } of sink.frames) {
        if (data["runId"] !== runId) continue;
        if (data["type"] === "run_event") cursor = sequenceOf(data);
        if (data["type"] === "run_finished" || data["retryable"] === false) return [];
      }
    return [[runId, cursor] as const];
  });
}

function sequenceOf(data: TimedFrame["data"]): number {
  return (data["event"] as { readonly sequence: number }).sequence;
}

/** Whether the reader has had the last frame of each of its runs. */
export function isDone(reader: RunsReader): boolean {
  return cursorsOf(reader).length === 0;
}

export function isConnected({ connections }: RunsReader): boolean {
  return connections.at(-1)?.sink.state === "open";
}

export function cutOff({ connections }: RunsReader): void {
  const last = connections.at(-1);
  if (last === undefined || last.sink.state === "gone") return;
  last.sink.cut();
  last.stream.closed();
}

export function unblock({ connections }: RunsReader): void {
  const last = connections.at(-1);
  if (last === undefined || last.sink.fullSinceMs === null) return;
  last.sink.drain();
  last.stream.drained();
}

/** The part of each connection that was checked: it does not change any more. */
const checked = new WeakMap<object, string>();

/** Checks every frame that a reader has had since the last check, with those before it on the same connection. */
export function checkReader(world: RunsWorld, reader: RunsReader): void {
  for (const { sink, starts } of reader.connections) {
    const seen = `${sink.frames.length} ${sink.faults.length} ${sink.state}`;
    if (checked.get(sink) === seen) continue;
    checked.set(sink, seen);
    expect(sink.faults).toStrictEqual([]);
    const [first, ...others] = sink.frames;
    if (first === undefined) continue;
    expect([first.data, first.retryMs === undefined]).toStrictEqual([
      { type: "stream_opened" },
      false,
    ]);
    for (const frame of sink.frames) expect(frame.id).toBe(undefined);
    for (const [runId, since] of starts)
      checkRun(
        world,
        others.filter(({ data }) => data["runId"] === runId),
        runId,
        since,
      );
    const whole = others.filter(({ data }) => !("runId" in data) && data["type"] !== "heartbeat");
    const isOver = sink.state === "ended" || sink.state === "destroyed";
    if (isOver) expect(whole).toStrictEqual([sink.frames.at(-1)]);
    else if (sink.state === "open") expect(whole).toStrictEqual([]);
  }
}

/** Checks the frames of one run on one connection. */
function checkRun(
  { logs, removed }: RunsWorld,
  frames: readonly TimedFrame[],
  runId: string,
  since: number,
): void {
  const log = logs.get(runId) ?? [];
  const [first] = frames;
  const isConnected = first?.data["type"] === "connected";
  if (isConnected) {
    expect([first.data["since"], first.retryMs]).toStrictEqual([since, undefined]);
    checkState(first, since, log);
  }
  checkFrames(isConnected ? frames.slice(1) : frames, since, log, false);
  const isForeign = FOREIGN.some((one) => one === runId);
  if (isForeign) for (const { data } of frames) expect(data["type"]).toBe("error");
  const last = frames.at(-1);
  if (last?.data["type"] !== "error") return;
  const isGone = isForeign || removed.has(runId);
  expect(last.retryMs).toBe(undefined);
  expect(isGone ? ["not_found", "store_unavailable"] : ["store_unavailable"]).toContain(
    last.data["code"],
  );
}

/** The events of a run that a reader has had, over all connections, in the order in which they came. */
export function eventsOf({ connections }: RunsReader, runId: string): readonly number[] {
  return connections.flatMap(({ sink }) =>
    sink.frames
      .filter(({ data }) => data["type"] === "run_event" && data["runId"] === runId)
      .map(({ data }) => sequenceOf(data)),
  );
}
