import { setImmediate } from "node:timers/promises";
import type fc from "fast-check";
import { Followers } from "../src/follow/followers.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { pick, scriptOf, SOURCE_ACTS, type Step } from "./interleaving.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";
import { createTailReader, type TailReader } from "./tail-reader.ts";

const RECHECK_MS = 5_000;
/** Larger than a slice, and eighteen of it are more than a follower keeps. */
const LARGE = JSON.stringify("x".repeat(60_000));

export const ABORTED: Error = new Error("aborted");

/** One run, the readers that follow it, and everything that can happen to them. */
export interface TailWorld {
  readonly source: ScriptedSource;
  readonly clock: FakeClock;
  readonly followers: Followers;
  readonly readers: { readonly tail: TailReader; readonly generation: number }[];
  /** The number of times that the run's id has been used; the events of each use say which. */
  generation: number;
  lastSequence: number;
}

export async function createTailWorld(): Promise<TailWorld> {
  const source = createScriptedSource();
  const clock = createFakeClock();
  await source.writes.create(RUN);
  const followers = new Followers(source, clock);
  return { source, clock, followers, readers: [], generation: 1, lastSequence: 0 };
}

/** Appends one event. The memory store has it before this returns. */
export function record(world: TailWorld, eventType: string, payload: string): void {
  world.lastSequence += 1;
  void world.source.writes.append(appendRequest([newEvent(eventType, payload)]));
}

const OWN_ACTS = {
  append(world: TailWorld, _at: number, count: number): void {
    for (let left = count; left >= 0; left--) record(world, "TOKEN", String(world.generation));
  },
  appendLarge(world: TailWorld, _at: number, count: number): void {
    for (let left = count; left >= 0; left--) record(world, "TOKEN", LARGE);
  },
  open(world: TailWorld, at: number): void {
    const tail = createTailReader(world.followers, Math.max(0, world.lastSequence - at));
    world.readers.push({ tail, generation: world.generation });
    tail.take();
  },
  answerLate: ({ source }: TailWorld, at: number): void => pick(source.reads, at)?.answerLate(),
  notifyTwice: ({ source }: TailWorld, at: number): void => pick(source.notifyCount, at)?.(),
  recheck: ({ clock }: TailWorld): void => clock.advance(RECHECK_MS),
  take: ({ readers }: TailWorld, at: number): void => pick(readers, at)?.tail.take(),
  leave: ({ readers }: TailWorld, at: number): void => pick(readers, at)?.tail.leave(),
  abort: ({ readers }: TailWorld, at: number): void => pick(readers, at)?.tail.abort(ABORTED),
  /** Ends the run, removes it and begins another of the same id. */
  replace(world: TailWorld): void {
    const { writes } = world.source;
    record(world, "RUN_COMPLETED", String(world.generation));
    void writes.remove(RUN);
    void writes.create(RUN);
    world.generation += 1;
    world.lastSequence = 0;
  },
};

type ActionName = keyof typeof OWN_ACTS | keyof typeof SOURCE_ACTS;

const ACTS: Readonly<Record<ActionName, (world: TailWorld, at: number, count: number) => void>> = {
  ...SOURCE_ACTS,
  ...OWN_ACTS,
};

/** Acts in any order, each as likely as its weight says. */
export function tailActions(
  weights: Readonly<Partial<Record<ActionName, number>>>,
): fc.Arbitrary<readonly Step<ActionName>[]> {
  return scriptOf(weights as Readonly<Record<ActionName, number>>, {
    count: 3,
    hops: 9,
    steps: 60,
  });
}

/** @param check what has to hold whenever a reader has been aborted */
export async function play(
  world: TailWorld,
  actions: readonly Step<ActionName>[],
  check: (world: TailWorld) => void,
): Promise<void> {
  for (const { name, at, count, hops } of actions) {
    ACTS[name](world, at, count);
    for (let hop = 0; hop < hops; hop++) await Promise.resolve();
    if (name !== "abort") continue;
    await setImmediate();
    check(world);
  }
}

/** Delivers every notification that is owed, answers every read and takes every slice, until nothing moves. No time passes. */
export async function quieten({ source, readers }: TailWorld): Promise<void> {
  const moving = (): boolean =>
    source.notifyCount.length + source.reads.length > 0 ||
    readers.some(({ tail }) => tail.state() === "asleep");
  do {
    for (const ready of source.readies) ready.resolve();
    for (const notify of source.notifyCount.splice(0)) notify();
    source.answerAll();
    for (const { tail } of readers) tail.take();
    await setImmediate();
  } while (moving());
}

/** Lets every reader come to its end with the recheck alone: no notification comes any more. */
export async function settle({ source, clock, readers }: TailWorld): Promise<void> {
  const reading = (): boolean =>
    readers.some(({ tail }) => tail.state() === "asleep" || tail.state() === "waiting");
  for (let round = 0; round < 500 && (reading() || source.reads.length > 0); round++) {
    for (const ready of source.readies) ready.resolve();
    for (const read of source.reads.toReversed()) read.answer();
    for (const { tail } of readers) tail.take();
    await setImmediate();
    clock.advance(RECHECK_MS);
  }
}
