import { RunEventsError } from "@tm/run-events-core";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import type pg from "pg";
import { expect, vi } from "vitest";
import type { PostgresDriver, PostgresPool } from "../src/index.ts";
import { driverOf } from "../src/pool.ts";
import { listeningOf, terminate, terminateAll } from "./listening-sessions.ts";
import { PATIENT } from "./patient.ts";
import { POLL } from "./recorded-pool.ts";
import { newSchema, openStore, runsOf } from "./stores.ts";

/** Two stores on one schema. */
export interface LosingStores {
  /** The pool of the driver under test. */
  readonly pool: PostgresPool;
  /** The name of the pool's sessions. */
  readonly application: string;
  /** Another process: its pool is pg's. */
  readonly direct: pg.Pool;
}

/**
 * Expects commits of another process to be notified of, before and after each end of the session that listens. The pool must not answer
 * polls, which find the commits in between.
 */
export async function expectNotifications({
  pool,
  application,
  direct,
}: LosingStores): Promise<void> {
  const schema = newSchema();
  const other = await openStore(direct, { schema });
  const store = await openStore(pool, { schema });
  await other.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  let sequence = 0;
  const expectOne = async (): Promise<void> => {
    const before = onNotification.mock.calls.length;
    await other.append([appendOf("a", (sequence += 1))]);
    await expect.poll(() => onNotification.mock.calls.length, PATIENT).toBeGreaterThan(before);
  };
  await expect.poll(async () => (await listeningOf(direct, application)).length, PATIENT).toBe(1);
  await expectOne();
  for (const _ of oneTo(2)) {
    const ended = await listeningOf(direct, application);
    await terminate(direct, ended);
    const isOther = async (): Promise<boolean> => {
      const [pid] = await listeningOf(direct, application);
      return pid !== undefined && !ended.includes(pid);
    };
    await expect.poll(isOther, PATIENT).toBe(true);
    await expectOne();
  }
}

/** Expects a writer and a reader to lose nothing while all sessions of their pool are ended again and again. */
export async function expectNothingLost({
  pool,
  application,
  direct,
}: LosingStores): Promise<void> {
  const store = await openStore(pool);
  const runs = runsOf(store);
  await runs.create({ runId: "a" });
  const seen: unknown[] = [];
  const reading = (async () => {
    for (;;) {
      try {
        for await (const { payload } of runs.tail("a", { since: seen.length })) seen.push(payload);
        return;
      } catch (error) {
        // A read whose session was ended: the reader begins again after its last event.
        if (!(error instanceof RunEventsError && error.retryable)) throw error;
      }
    }
  })();
  for (const value of oneTo(60)) {
    await runs.append("a", [{ eventType: "TOKEN", payload: value }]);
    if (value % 6 === 0) await terminateAll(direct, application);
  }
  await runs.append("a", [{ eventType: "RUN_COMPLETED" }]);
  await reading;
  expect(seen).toEqual([...oneTo(60), null]);
  expect(await readValues(store, "a")).toEqual(seen);
}

/** The same pool, of which no poll of the runs gets an answer. Only notifications notify then. */
export function withoutPolls(pool: PostgresPool): PostgresDriver {
  const driver = driverOf(pool);
  return {
    ...driver,
    query: (text, ...rest) =>
      text.includes(POLL) ? Promise.withResolvers<never>().promise : driver.query(text, ...rest),
  };
}
