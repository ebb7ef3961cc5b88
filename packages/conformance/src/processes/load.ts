import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import type { RaceClient } from "../races/race-client.ts";
import type { RaceStep } from "../races/race.ts";
import { within } from "../within.ts";
import type { Draws } from "./draws.ts";
import type { Worker } from "./start-worker.ts";

/** The number of calls that show that a process gets on. */
const PROGRESS = 5;
/** A crash comes after up to this many calls of one process; at least half as many. */
const MOST_CALLS = 10;
/** Bounds a hang, as of a process that waits for a lock of a dead one. */
const PROGRESS_DEADLINE_MS = 10_000;

/** A client that goes on with its steps, from the first again after the last, until it is stopped or its store fails. */
export class Load {
  readonly worker: Worker;
  readonly client: RaceClient;
  /** Resolves with what a call failed with; `null` once it was stopped. */
  readonly ended: Promise<Error | null>;
  #calls = 0;
  #isStopped = false;
  #onCall = Promise.withResolvers<void>();

  constructor(worker: Worker, client: RaceClient, steps: readonly RaceStep[]) {
    this.worker = worker;
    this.client = client;
    this.ended = this.#run(steps);
  }

  /** Resolves when it has made so many calls more. @throws Error if it ends, or does not get on */
  async more(calls: number): Promise<void> {
    const goal = this.#calls + calls;
    const reach = async (): Promise<void> => {
      while (this.#calls < goal) await this.#onCall.promise;
    };
    const fail = async (): Promise<never> => {
      const { name } = this.worker;
      const what = `The store of worker ${name} failed, and nothing of its own had crashed`;
      throw new Error(`${what}: ${(await this.ended)?.message}`);
    };
    await within(PROGRESS_DEADLINE_MS, Promise.race([reach(), fail()]), "all processes to get on");
  }

  /** Ends it after the call that is under way. @returns what it has failed with */
  stop(): Promise<Error | null> {
    this.#isStopped = true;
    return this.ended;
  }

  async #run(steps: readonly RaceStep[]): Promise<Error | null> {
    try {
      for (;;) {
        for (const step of steps) {
          if (this.#isStopped) return null;
          await this.client.step(step);
          this.#calls += 1;
          this.#onCall.resolve();
          this.#onCall = Promise.withResolvers();
        }
      }
    } catch (error) {
      return error as Error;
    }
  }
}

/** Each gets on. @throws Error if one ends, or does not */
export async function progressOf(loads: readonly Load[], calls: number = PROGRESS): Promise<void> {
  await Promise.all(loads.map((load) => load.more(calls)));
}

/** Waits for an instant at which all of them make calls: just after a call was made, or, half of the time, anywhere within one. */
export async function amidCalls(loads: readonly Load[], draws: Draws): Promise<void> {
  const calls = draws(fc.noBias(fc.integer({ min: MOST_CALLS / 2, max: MOST_CALLS })));
  const latePercent = draws(fc.oneof(fc.constant(0), fc.noBias(fc.nat(99))));
  const startedAtMs = performance.now();
  await progressOf(loads, calls);
  const callMs = (performance.now() - startedAtMs) / calls;
  if (latePercent > 0) await setTimeout((callMs * latePercent) / 100);
}
