import type { RunEventStore } from "@tm/run-events-core/store";
import { kitStore } from "../../../conformance/src/kit-store.ts";
import { expect } from "vitest";
import { appendOf, claimOf, createOf, endOf, listIds, readLog, readValues } from "./requests.ts";

/** Expects that the store has the run `live` of a first schema unchanged, appends to it, claims and purges. Purges the run `done`, makes the run `new`. */
export async function expectFirstRuns(inner: RunEventStore): Promise<void> {
  const store = kitStore(inner);
  expect(await store.getRun("live")).toEqual({
    runId: "live",
    ownerId: "ada",
    runStatus: "running",
    phase: null,
    lastSequence: 2,
    ordinal: 1,
    createdAtMs: 1_000,
    updatedAtMs: 2_000,
    finishedAtMs: null,
    metadata: '{"a":1}',
    topic: null,
    fence: 0,
    leaseExpiresAtMs: null,
    worker: null,
  });
  const idle = { due: "running", forMs: 60_000, limit: 9 } as const;
  expect(await store.listDue(idle)).toMatchObject([{ runId: "live" }]);
  expect(await store.append([appendOf("live", 1, { idempotencyKey: "k" })])).toMatchObject([
    { outcome: "replayed", firstSequence: 1 },
  ]);
  await store.append([appendOf("live", 3)]);
  expect(await readValues(store, "live")).toEqual([1, 2, 3]);
  expect(await store.claim(claimOf("live"))).toMatchObject({ outcome: "granted" });
  expect(await store.claim(claimOf("done"))).toMatchObject({ outcome: "finished" });
  expect(await store.purge({ finishedForMs: 60_000, limit: 9 })).toEqual([
    { ownerId: "ada", runId: "done" },
  ]);
  await store.createRun({ ...createOf("new"), topic: "tea" });
  expect(await listIds(store, "live", "tea")).toEqual(["new"]);
  expect(await listIds(store, "live")).toEqual(["new", "live"]);
}

/** Expects that the answers of an empty store have core's shapes, with numbers as numbers. Makes the run `a`. */
export async function expectShapes(inner: RunEventStore): Promise<void> {
  const store = kitStore(inner);
  await store.createRun(createOf("a"));
  expect(await store.append([appendOf("a", 1)])).toStrictEqual([
    { outcome: "appended", firstSequence: 1, lastSequence: 1, runStatus: "running", phase: null },
  ]);
  expect(await store.getRun("a")).toStrictEqual({
    runId: "a",
    ownerId: "ada",
    runStatus: "running",
    phase: null,
    lastSequence: 1,
    ordinal: expect.any(Number),
    createdAtMs: expect.any(Number),
    updatedAtMs: expect.any(Number),
    finishedAtMs: null,
    metadata: "{}",
    topic: null,
    fence: 0,
    leaseExpiresAtMs: null,
    worker: null,
  });
  expect(await readLog(store, "a")).toStrictEqual([
    { sequence: 1, eventType: "LOG_LINE", payload: "1", createdAtMs: expect.any(Number) },
  ]);
}

/** Expects that stores of two namespaces share nothing. Makes the run `a` in both. */
export async function expectApart(our: RunEventStore, their: RunEventStore): Promise<void> {
  const [ours, theirs] = [kitStore(our), kitStore(their)];
  await ours.createRun(createOf("a"));
  await ours.append([appendOf("a", 1)]);
  expect(await theirs.getRun("a")).toBeNull();
  expect(await theirs.createRun({ ...createOf("a"), ownerId: "bob" })).toMatchObject({
    outcome: "created",
  });
}

/** Each commit of another store notifies a subscription that stays, including a creation and a deletion. Makes and deletes the run `a`. */
export async function expectEachNotifies(
  store: RunEventStore,
  another: RunEventStore,
): Promise<void> {
  const other = kitStore(another);
  let notifications = 0;
  const subscription = store.subscribe({ ownerId: "ada", runId: "a" }, () => {
    notifications += 1;
  });
  await subscription.ready;
  const commits = [
    () => other.createRun(createOf("a")),
    () => other.append([appendOf("a", 1)]),
    () => other.append([appendOf("a", 2)]),
    () => other.append([endOf("a")]),
    () => other.deleteRun("a"),
    () => other.createRun(createOf("a")),
    () => other.append([appendOf("a", 1)]),
  ];
  for (const commit of commits) {
    const before = notifications;
    await commit();
    await expect.poll(() => notifications).toBeGreaterThan(before);
  }
  subscription.stop();
}
