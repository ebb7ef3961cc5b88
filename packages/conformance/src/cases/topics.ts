import type { RunStatus } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import { event, land } from "../append-request.ts";
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

const ENDS: Partial<Readonly<Record<RunStatus, string>>> = {
  running: "TOKEN",
  completed: "RUN_COMPLETED",
  failed: "RUN_FAILED",
  cancelled: "RUN_CANCELLED",
};
const EACH: readonly RunStatus[] = ["queued", "running", "completed", "failed", "cancelled"];

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
  {
    name: "S23 a list of live runs has those that have not finished, newest first, of a topic and of all",
    async run({ store }) {
      await fillStatuses(store, null);
      await fillStatuses(store, "tea");
      const live = ["running-2", "running-1", "queued-2", "queued-1"];
      const ofTopic = live.map((id) => `tea-${id}`);
      const ofNone = live.map((id) => `null-${id}`);
      const cases: readonly [Partial<KitListQuery>, readonly string[]][] = [
        [{ topic: "tea" }, ofTopic],
        [{}, [...ofTopic, ...ofNone]],
      ];
      for (const [which, expected] of cases) {
        const query = { ...which, runStatus: "live" as const };
        assertEqual(await ids(store, query), expected, "the live runs");
        for (const limit of [1, 2, 3]) {
          const paged: string[] = [];
          let before: number | null = null;
          while (paged.length < expected.length) {
            const page: readonly RunRecord[] = await list(store, { ...query, before, limit });
            assert(page.length > 0, "a page before the last live run has a run");
            paged.push(...page.map(({ runId }) => runId));
            before = page.at(-1)?.ordinal ?? before;
          }
          assertEqual(paged, expected, `the live runs in pages of ${limit}`);
        }
      }
      await land(store, "tea-queued-2", [event("RUN_CANCELLED")]);
      const left = ofTopic.filter((runId) => runId !== "tea-queued-2");
      assertEqual(
        await ids(store, { topic: "tea", runStatus: "live" }),
        left,
        "the live runs left",
      );
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

/** Creates two runs in each status, named `topic-status-1` and `topic-status-2`. */
async function fillStatuses(store: KitStore, topic: string | null): Promise<void> {
  for (const runStatus of EACH) {
    for (const at of [1, 2]) {
      const runId = `${topic}-${runStatus}-${at}`;
      await create(store, runId, topic);
      const eventType = ENDS[runStatus];
      if (eventType !== undefined) await land(store, runId, [event(eventType)]);
    }
  }
}

function list(store: KitStore, part: Partial<KitListQuery>): ReturnType<KitStore["listRuns"]> {
  return store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 100, ...part });
}

async function ids(store: KitStore, part: Partial<KitListQuery>): Promise<readonly string[]> {
  return (await list(store, part)).map(({ runId }) => runId);
}
