import { afterEach, beforeEach, expect } from "vitest";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import type { WorkedRun } from "../src/work/worked-run.ts";
import { type AdasRuns, createAdasRuns } from "./adas-runs.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { settleTurns } from "./settle-turns.ts";

/** The lease of these tests: thirds and twelfths of it are whole. */
export const LEASE_MS = 1_200;
export const LEASE: { readonly leaseMs: number } = { leaseMs: LEASE_MS };

/** A worker's call to its log. A cancel is an append, too. */
type LogCall = "append" | "claim" | "renew" | "release" | "getRun";

/** A test's hook on one kind of call: it may wait, fail, or let the call through. */
type Intercept = <T>(go: () => Promise<T>) => Promise<T>;

/** A run in a memory store, on a clock that the test moves, which is the store's too. */
export interface WorkWorld extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly runs: AdasRuns;
  /** The same store in another process. */
  readonly others: AdasRuns;
  /** The hooks between the runs and their log. */
  readonly intercepts: Partial<Record<LogCall, Intercept>>;
  /** The calls that reached the log, or failed on the way. */
  readonly calls: LogCall[];
  /** Whose log `runs` reads, in place of the run's: its store has lost the end of the log, and others have appended since. */
  readAs: string | null;
  /** By how much the store's clock is ahead of the worker's. */
  readonly ahead: { ms: number };
  /** Shuts down the workers whose options have its signal. */
  readonly shutdown: AbortController;
  /** Whether the store's notifications notify in `runs`. */
  notifyCount: boolean;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Moves time on, and lets everything happen meanwhile. */
  pass(ms: number): Promise<void>;
  /** The run's events: type, and payload if there is one. */
  events(): Promise<readonly string[]>;
  /** Timers and subscriptions that are not stopped. */
  leftOvers(): number;
}

/** From now on calls to the log are noted, and pass their hooks. */
function hookCalls(log: RunLog, calls: LogCall[], intercepts: WorkWorld["intercepts"]): void {
  function hook<Given extends readonly unknown[], Answer>(
    call: LogCall,
    made: (...given: Given) => Promise<Answer>,
  ): (...given: Given) => Promise<Answer> {
    return async (...given) => {
      calls.push(call);
      const go = (): Promise<Answer> => made(...given);
      return intercepts[call]?.(go) ?? go();
    };
  }
  const { append, cancel, claim, renew, release, getRun } = log;
  Object.assign(log, {
    append: hook("append", append),
    cancel: hook("append", cancel),
    claim: hook("claim", claim),
    renew: hook("renew", renew),
    release: hook("release", release),
    getRun: hook("getRun", getRun),
  });
}

/** Makes such a world. */
export async function createWorkWorld(
  memory?: (now: () => number) => RunEventStore,
): Promise<WorkWorld> {
  const clock = createFakeClock();
  const now = (): number => 1_780_000_000_000 + clock.now();
  const ahead = { ms: 0 };
  const store = memory?.(now) ?? createMemoryStore({ now: () => now() + ahead.ms });
  const intercepts: WorkWorld["intercepts"] = {};
  const calls: LogCall[] = [];
  let subscriptions = 0;

  const others = createAdasRuns({ store });
  await others.create({ runId: "r" });
  const runs = createAdasRuns({
    clock,
    store: {
      ...store,
      read: (queries) =>
        store.read(
          queries.map((query) =>
            query.limit === 0 ? query : { ...query, runId: world.readAs ?? query.runId },
          ),
        ),
      subscribe(subject, onNotification) {
        subscriptions += 1;
        let isOn = true;
        const subscription = store.subscribe(
          subject,
          (changed) => world.notifyCount && onNotification(changed),
        );
        return {
          ready: subscription.ready,
          stop() {
            if (isOn) subscriptions -= 1;
            isOn = false;
            subscription.stop();
          },
        };
      },
      async close() {},
    },
  });
  hookCalls(runs.log, calls, intercepts);

  const world: WorkWorld = {
    clock,
    runs,
    others,
    intercepts,
    calls,
    readAs: null,
    ahead,
    shutdown: new AbortController(),
    notifyCount: true,
    settle: () => settleTurns(8),
    async pass(ms) {
      await world.settle();
      for (let left = ms; left > 0; left -= 25) {
        clock.advance(Math.min(left, 25));
        await world.settle();
      }
    },
    async events() {
      const { events } = await others.read("r", { limit: 1_000_000 });
      return events.map(({ eventType, payload }) =>
        payload === null ? eventType : `${eventType} ${JSON.stringify(payload)}`,
      );
    },
    leftOvers: () => clock.timers() + subscriptions,
    async [Symbol.asyncDispose]() {
      await runs.close();
      await others.close();
      await store.close();
    },
  };
  return world;
}

/** A new world for each test of the file, of which nothing may be left after it. */
export function useWorkWorld(memory?: Parameters<typeof createWorkWorld>[0]): WorkWorld {
  let world: WorkWorld;
  beforeEach(async () => {
    world = await createWorkWorld(memory);
  });
  afterEach(async () => {
    await world.settle();
    expect(world.leftOvers()).toBe(0);
    await world[Symbol.asyncDispose]();
  });
  return new Proxy({} as WorkWorld, {
    get: (_, name) => Reflect.get(world, name) as unknown,
    set: (_, name, value) => Reflect.set(world, name, value),
  });
}

/** Resolves when the worker is to stop. */
export async function aborted({ signal }: WorkedRun): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The error with which a call rejects. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new TypeError(`Expected it to reject, but it resolved with ${JSON.stringify(value)}.`);
    },
    (error: unknown) => error,
  );
}

/** A call to a store that does not answer now. */
export async function away(): Promise<never> {
  throw new RunEventsError("store_unavailable", "The store is away.");
}
