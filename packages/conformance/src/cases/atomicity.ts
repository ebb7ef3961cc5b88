import { append, appendRequest, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S2 in `STORE.md`: one request is atomic, requests are independent and keep their order. */
export const atomicity: readonly TrialCase[] = [
  {
    name: "S2 each request of one call lands or fails alone, and keeps its place",
    async run({ store }) {
      for (const runId of ["run-a", "run-b", "finished"]) await createRun(store, runId);
      await land(store, "finished", [event("RUN_COMPLETED")]);
      const keyed = { idempotencyKey: "key" };
      const old = { idempotencyKey: "old key" };
      const known = await land(store, "run-b", events(2), old);
      const outcomes = await store.append([
        appendRequest("nowhere", events(1)),
        appendRequest("run-a", events(2)),
        appendRequest("finished", events(1)),
        appendRequest("run-b", events(1), { expectedSequence: 9 }),
        appendRequest("run-b", events(3), keyed),
        appendRequest("run-b", events(2), old),
        appendRequest("run-b", events(3), keyed),
        appendRequest("run-a", events(1), { ownerId: "another owner" }),
        appendRequest("run-a", events(1), { expectedSequence: 2 }),
      ]);
      const running = { runStatus: "running", phase: null } as const;
      assertEqual(
        outcomes,
        [
          { outcome: "not_found" },
          { outcome: "appended", firstSequence: 1, lastSequence: 2, ...running },
          { outcome: "finished", runStatus: "completed", lastSequence: 1 },
          { outcome: "sequence_conflict", lastSequence: 2 },
          { outcome: "appended", firstSequence: 3, lastSequence: 5, ...running },
          { outcome: "replayed", ...known },
          { outcome: "replayed", firstSequence: 3, lastSequence: 5, ...running },
          { outcome: "not_found" },
          { outcome: "appended", firstSequence: 3, lastSequence: 3, ...running },
        ],
        "the outcomes of one call",
      );
      // From now on the run takes plain appends.
      const twice = appendRequest("run-b", events(2), { idempotencyKey: "another key" });
      const [first, second] = await store.append([twice, twice]);
      assertEqual(second, { ...first, outcome: "replayed" }, "the outcome of the same key");
      const foreign = await append(store, "run-b", events(1), { ownerId: "another owner" });
      assertEqual(foreign, { outcome: "not_found" }, "the outcome for another owner");
      assertEqual((await readLog(store, "run-a")).events.length, 3, "the events of run-a");
      assertEqual((await readLog(store, "run-b")).events.length, 7, "the events of run-b");
      assertEqual(await store.append([]), [], "the outcomes of no requests");
      assertEqual(await store.read([]), [], "the answers to no queries");
    },
  },
];
