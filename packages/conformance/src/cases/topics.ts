import type { RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { type KitStore, OWNER, type KitListQuery } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

/** Topics that a store may take for one another: by case, spaces, patterns, separators, normal forms, and at the largest length. */
const ALIKE: readonly string[] = [
  "tea",
  "Tea",
  "tea ",
  " tea",
  "te_",
  "te%",
  "tea:running",
  "tea}",
  "{tea}",
  "topic=tea",
  "t\u00e9a",
  "te\u0301a",
  "\u{1f375}",
  "x".repeat(200),
  `${"x".repeat(199)}y`,
  "\u{1f375}".repeat(200),
];

/** Cases of S21 in `STORE.md`: what a run is about. */
export const topics: readonly TrialCase[] = [
  {
    name: "S23 a list of a topic has the owner's runs of exactly that topic, newest first",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      for (const [index, topic] of [...ALIKE, ...ALIKE].entries()) {
        await create(stores[index % stores.length] ?? store, `run-${index}`, topic);
        await create(store, `none-${index}`, null);
        await create(store, `bob-${index}`, topic, "bob");
      }
      for (const [index, topic] of ALIKE.entries()) {
        const expected = [`run-${index + ALIKE.length}`, `run-${index}`];
        for (const one of stores) {
          assertEqual(await ids(one, { topic }), expected, `the runs of the topic ${topic}`);
        }
        const runs = await list(store, { topic });
        assertEqual(await list(store, { topic, limit: 1 }), runs.slice(0, 1), "its first page");
        const before = runs[0]?.ordinal ?? null;
        assertEqual(await list(store, { topic, before }), runs.slice(1), "its second page");
      }
      assertEqual(await ids(store, { topic: "none" }), [], "the runs of a topic without any");
      const all = await list(store, {});
      assertEqual(all.length, 4 * ALIKE.length, "the number of the owner's runs");
    },
  },
];

async function create(
  store: KitStore,
  runId: string,
  topic: string | null,
  ownerId = OWNER,
): Promise<RunRecord> {
  const created = await store.createRun({ runId, ownerId, metadata: "null", topic });
  assert(created.outcome === "created", `creating ${runId} is answered created`);
  assertEqual(created.run.topic, topic, "the topic of the new run");
  return created.run;
}

function list(store: KitStore, part: Partial<KitListQuery>): ReturnType<KitStore["listRuns"]> {
  return store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 100, ...part });
}

async function ids(store: KitStore, part: Partial<KitListQuery>): Promise<readonly string[]> {
  return (await list(store, part)).map(({ runId }) => runId);
}
