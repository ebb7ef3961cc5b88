import { Follower } from "../src/follow/follower.ts";
import type { FollowerReader } from "../src/follow/reader-set.ts";
import type { Slice } from "../src/follow/slice.ts";
import { setImmediate } from "node:timers/promises";
import { appendRequest, newEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

export interface FollowerBench {
  readonly source: ScriptedSource;
  readonly follower: Follower;
  /** The number of times that the follower has retired. */
  retired: number;
}

export async function createFollowerBench(): Promise<FollowerBench> {
  const source = createScriptedSource();
  await source.writes.create(RUN);
  const bench = { source, retired: 0 };
  const follower = new Follower(RUN, source, { left: 2 ** 26 }, () => (bench.retired += 1));
  return Object.assign(bench, { follower });
}

export async function append(
  source: ScriptedSource,
  ...payloads: readonly string[]
): Promise<void> {
  await source.writes.append(appendRequest(payloads.map((payload) => newEvent("TOKEN", payload))));
}

/** Answers every read, and those that follow from it. */
export async function answerAll(source: ScriptedSource): Promise<void> {
  while (source.reads.length > 0) {
    source.answerAll();
    await setImmediate();
  }
}

export async function notify(source: ScriptedSource): Promise<void> {
  for (const one of source.notifyCount.splice(0)) one();
  await setImmediate();
}

export function createReader(): FollowerReader & { notifications: number } {
  const reader = {
    position: null,
    stalled: false,
    notifications: 0,
    onNotification: () => void (reader.notifications += 1),
  };
  return reader;
}

/** Opens a reader and lets it find its position. */
export async function open(
  bench: FollowerBench,
  since = 0,
): Promise<FollowerReader & { notifications: number }> {
  const { source, follower } = bench;
  const reader = createReader();
  const opened = follower.open(reader, since);
  for (const ready of source.readies) ready.resolve();
  await setImmediate();
  await answerAll(source);
  await opened;
  return reader;
}

/** Reads on until no more events are in memory. */
export function drain(follower: Follower, reader: FollowerReader): readonly Slice[] {
  const slices: Slice[] = [];
  for (;;) {
    const next = follower.next(reader);
    if (next === null || next instanceof Promise) return slices;
    slices.push(next);
    reader.position = next.to;
  }
}
