import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { createFakeClock } from "../fake-clock.ts";
import { makeCall } from "./arbitrary-calls.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const NAME = { ownerId: "ada", runId: "run" };
const now = (): number => 1_000;
const create = { what: "create", name: NAME, topic: null } as const;

it("S18 the engine is closed once, after the calls under way", async () => {
  const data = new MvccData();
  let isClosed = 0;
  let underWay = 0;
  const engine = createMvccEngine(data, {
    now,
    before: async () => {
      expect(isClosed).toBe(0);
      underWay += 1;
      await setImmediate();
      underWay -= 1;
    },
  });
  const close = async (): Promise<void> => {
    expect(underWay).toBe(0);
    isClosed += 1;
  };
  const store = createKvStore({ ...engine, close });
  const call = makeCall(store, create);
  await Promise.all([store.close(), store.close(), call]);
  expect(isClosed).toBe(1);
  await expect(store.probe()).rejects.toMatchObject({ code: "store_unavailable" });
});

it("S18 the engine is closed after a poll and a move of the clock that are under way, and none begins later", async () => {
  const data = new MvccData();
  const clock = createFakeClock();
  let held = Promise.resolve();
  let underWay = 0;
  const late: string[] = [];
  let isClosed = false;
  const engine = createMvccEngine(data, {
    before: async (step) => {
      if (isClosed) late.push(step);
      underWay += 1;
      await held;
      underWay -= 1;
    },
  });
  const close = async (): Promise<void> => {
    if (underWay > 0) late.push("under way");
    isClosed = true;
  };
  const store = createKvStore({ ...engine, close }, { clock });
  await store.probe();
  store.subscribe(NAME, () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  clock.advance(1_000);
  await setImmediate();
  expect(underWay).toBe(2);
  const closed = store.close();
  await setImmediate();
  resolve();
  await closed;
  expect(isClosed).toBe(true);
  clock.advance(10_000);
  await setImmediate();
  expect(late).toEqual([]);
  expect(clock.timers()).toBe(0);
});
