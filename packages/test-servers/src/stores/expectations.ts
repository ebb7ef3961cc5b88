import type { RunEventStore } from "@tm/run-events-core/store";
import { kitStore } from "../../../conformance/src/kit-store.ts";
import { expect } from "vitest";
import { appendOf, createOf, endOf, readLog } from "./requests.ts";

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
