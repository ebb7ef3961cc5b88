import { event, events, land, appendRequest } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { readLog, readPage } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;

/** Cases of S11 in `STORE.md`: returned values are the caller's. */
export const returnedValues: readonly TrialCase[] = [
  {
    name: "S11 changing what a call returned changes nothing in the store, nor does the store change it",
    async run({ store }) {
      spoil(await store.createRun({ runId: "run", ownerId: OWNER, metadata: "{}" }));
      spoil(await store.createRun({ runId: "run", ownerId: OWNER, metadata: "{}" }));
      const request = appendRequest("run", [event("PHASE_STARTED", '{"phase":"plan"}')], {
        idempotencyKey: "key",
      });
      const [appended] = await store.append([request]);
      const landing = { ...appended };
      spoil(appended);
      await land(store, "run", events(2));
      const held = await readPage(store, "run");
      const shown = JSON.stringify(held);
      const before = await readLog(store, "run");
      const kept = JSON.stringify(before);
      for (let round = 0; round < 2; round++) {
        spoil(await store.getRun("run"));
        spoil(await store.listRuns(LIST));
        spoil(await store.append([request]));
        spoil(await readPage(store, "run"));
        spoil(await readPage(store, "run", { since: 1 }));
      }
      assertEqual(JSON.stringify(await readLog(store, "run")), kept, "the log");
      const { run } = before;
      assertEqual(await store.getRun("run"), run, "the run by itself");
      assertEqual(await store.listRuns(LIST), [run], "the list");
      const replayed = await store.append([request]);
      assertEqual(replayed, [{ ...landing, outcome: "replayed" }], "the receipt of the key");
      assertEqual((await land(store, "run", events(1))).firstSequence, 4, "the next sequence");
      assertEqual(JSON.stringify(held), shown, "a page that was returned before");
    },
  },
];

/** Overwrites every field, all the way down; a frozen object refuses that by itself. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  for (const key of Object.keys(value)) Reflect.set(value, key, "spoiled");
}
