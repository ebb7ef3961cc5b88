import { RUN_LOG } from "../src/rules/brand.ts";
import { Followers } from "../src/follow/followers.ts";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { NewEvent } from "../src/rules/event.ts";
import { isTerminal, changeBy } from "../src/rules/lifecycle.ts";
import type { OpenStream } from "../src/stream/open-stream.ts";
import { Streams } from "../src/stream/streams.ts";
import type { StreamErrorCode } from "../src/wire/stream-error.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink, drainingEarly, type FakeSink } from "./fake-sink.ts";
import { appendRequest } from "./run-record.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

export const HEARTBEAT_MS = 1_000;
export const MAX_AGE_MS = 8_000;
export const STALL_MS = 1_500;
/** A tenth of the shortest time. */
export const TICK_MS = 100;
export const CLOSE_MS = 5_000;
export const MAX_STREAMS = 5;
export const MAX_STREAMS_PER_USER = 3;
export const OWNERS = ["ada", "bob"] as const;

/** One client's stream, from its request to its end. */
export interface Conversation {
  readonly ownerId: string;
  readonly since: number;
  readonly stream: OpenStream;
  readonly sink: FakeSink;
  /** The checks of the session that are not answered. */
  readonly questions: Deferred<StreamErrorCode | null>[];
  openState: "opening" | "open" | "not found";
  /** Whether it was admitted, within the limits. */
  counted: boolean;
  startedAtMs: number;
  askedAtMs: number;
  answeredAtMs: number;
}

/** Two owners' runs, each named for its owner, and their streams. */
export interface StreamWorld {
  readonly source: ScriptedSource;
  readonly clock: FakeClock;
  readonly streams: Streams;
  readonly conversations: Conversation[];
  readonly logs: ReadonlyMap<string, NewEvent[]>;
  /** When a drain has to have ended every stream that can get a frame. */
  drainedByMs: number;
  /** Drains that were begun, and that have come to their end. */
  drains: number;
  drained: number;
  open(ownerId: string, since: number): Conversation;
}

/** A log whose followers read the scripted source. */
export function scriptedLog(source: ScriptedSource, clock: FakeClock): RunLog {
  const log = createRunLog({ store: source.store, clock });
  return Object.assign(log, { [RUN_LOG]: { followers: new Followers(source, clock) } });
}

/** @param takes answers each write of each transport, and whether one that is full has drained at once */
export async function createStreamWorld(
  takes: () => boolean,
  random: () => number,
): Promise<StreamWorld> {
  const source = createScriptedSource();
  const clock = createFakeClock();
  for (const ownerId of OWNERS) await source.writes.create({ runId: ownerId, ownerId });
  const streams = new Streams(scriptedLog(source, clock), {
    heartbeatMs: HEARTBEAT_MS,
    maxAgeMs: MAX_AGE_MS,
    stallMs: STALL_MS,
    maxStreams: MAX_STREAMS,
    maxStreamsPerUser: MAX_STREAMS_PER_USER,
    random,
  });
  const conversations: Conversation[] = [];

  function open(ownerId: string, since: number): Conversation {
    const questions: Deferred<StreamErrorCode | null>[] = [];
    const stream = streams.open({
      runId: ownerId,
      ownerId,
      since,
      authorize() {
        conversation.askedAtMs = clock.now();
        const question = createDeferred<StreamErrorCode | null>();
        questions.push(question);
        return question.promise;
      },
    });
    const sink = createFakeSink(() => clock.now(), takes);
    const conversation: Conversation = {
      ownerId,
      since,
      stream,
      sink,
      questions,
      openState: "opening",
      counted: false,
      startedAtMs: Number.NaN,
      askedAtMs: Number.NaN,
      answeredAtMs: Number.NEGATIVE_INFINITY,
    };
    conversations.push(conversation);
    stream.ready.then(
      () => {
        conversation.openState = "open";
        conversation.startedAtMs = clock.now();
        conversation.askedAtMs = clock.now();
        stream.start(drainingEarly(sink, stream, takes));
      },
      () => {
        conversation.openState = "not found";
      },
    );
    return conversation;
  }

  return {
    source,
    clock,
    streams,
    conversations,
    logs: new Map(OWNERS.map((ownerId) => [ownerId, []])),
    drainedByMs: Number.POSITIVE_INFINITY,
    drains: 0,
    drained: 0,
    open,
  };
}

/** Appends to a run unless it has ended. */
export function record(world: StreamWorld, runId: string, events: readonly NewEvent[]): void {
  const log = world.logs.get(runId);
  if (log === undefined || isTerminal(changeBy(log.at(-1)?.eventType ?? ""))) return;
  log.push(...events);
  void world.source.writes.append(appendRequest(events, { runId, ownerId: runId }));
}

/** Lets a full transport take bytes again. */
export function unblock({ sink, stream }: Conversation): void {
  if (sink.fullSinceMs === null) return;
  sink.drain();
  stream.drained();
}

/** The client disconnects. */
export function cut({ sink, stream }: Conversation): void {
  sink.cut();
  stream.closed();
}
