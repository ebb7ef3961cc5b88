import { appendRequest, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun } from "../read-log.ts";
import { type KitStore, OWNER, type KitListQuery } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const RUNS = 10;
const OTHERS = ["another owner", OWNER.toUpperCase(), ""];

/** Cases of W14 in `WIRE.md`: an owner's runs, newest first. */
export const listing: readonly TrialCase[] = [
  {
    name: "W14 the pages of a list, one after the other, show each run once",
    async run({ store }) {
      for (const runId of ids()) await createRun(store, runId);
      for (const limit of [1, 3, RUNS, RUNS + 1]) {
        const seen: string[] = [];
        // Nothing is before the largest ordinal but every run there is.
        let before: number | null = limit === 1 ? Number.MAX_SAFE_INTEGER : null;
        for (let page = 0; page <= RUNS; page++) {
          const runs = await list(store, { before, limit });
          assert(runs.length <= limit, `a page has at most ${limit} runs, got ${runs.length}`);
          seen.push(...runs.map((run) => run.runId));
          before = runs.at(-1)?.ordinal ?? before;
          if (runs.length < limit) break;
          // A newer run comes before every page that is still to come.
          await store.createRun({
            runId: `new-${limit}-${page}`,
            ownerId: OWNER,
            metadata: "null",
          });
        }
        const old = seen.filter((runId) => runId.startsWith("run-"));
        assertEqual(old, ids().toReversed(), `the runs in pages of ${limit}`);
        assertEqual(new Set(seen).size, seen.length, `the number of runs in pages of ${limit}`);
      }
    },
  },
];

/** Cases of W4 in `WIRE.md`: someone else's run is as good as none. */
export const owners: readonly TrialCase[] = [
  {
    name: "W4 reading, appending to and deleting another owner's run is answered as if it did not exist",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", events(2), { ownerId: OWNER });
      const query = { since: 0, limit: 10, maxBytes: 1_000 };
      for (const [index, ownerId] of OTHERS.entries()) {
        // To the last of them it has finished.
        if (index === OTHERS.length - 1) await land(store, "run", [event("RUN_COMPLETED")], {});
        const other = [
          await store.append([appendRequest("run", events(1), { ownerId })]),
          await store.read([{ ...query, runId: "run", ownerId }]),
          await store.deleteRun("run", ownerId),
        ];
        assertEqual(other, [[{ outcome: "not_found" }], [null], "not_found"], `"${ownerId}" gets`);
      }
      const [own] = await store.read(
        [OWNER].map((ownerId) => ({ ...query, runId: "run", ownerId })),
      );
      assertEqual(own?.events.length, 3, "the events that the owner reads");
      assertEqual(await store.deleteRun("run", OWNER), "deleted", "the owner's delete");
    },
  },
];

function ids(): readonly string[] {
  return Array.from({ length: RUNS }, (_, index) => `run-${index}`);
}

function list(store: KitStore, part: Partial<KitListQuery>): ReturnType<KitStore["listRuns"]> {
  return store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 100, ...part });
}
