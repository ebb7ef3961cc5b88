import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { appendRequest, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { ChangedReader } from "../changed-reader.ts";
import { claim, under } from "../lease.ts";
import { createRun, OWNER } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** More runs than a cursor has groups of live runs. */
const MANY = 300;
const END = [event("RUN_COMPLETED")];

/** Cases of S29 in `STORE.md`: an owner's runs that changed since a cursor. */
export const changed: readonly TrialCase[] = [
  {
    name: "S29 without a cursor the owner's live runs come, as they are, and no others",
    async run({ store }) {
      await createRun(store, "queued");
      await createRun(store, "running", OWNER, '{"a":1}');
      await createRun(store, "ended");
      await createRun(store, "bobs", "bob");
      await land(store, "running", [event("PHASE_STARTED", '{"phase":"plan"}')]);
      await land(store, "ended", END);
      const answer = await new ChangedReader().ask(store);
      const byId = answer.runs.toSorted((a, b) => a.runId.localeCompare(b.runId));
      const expected = [await store.getRun("queued"), await store.getRun("running")];
      assertEqual(byId, expected, "the runs");
      assertEqual([answer.gone, answer.hasMore], [[], false], "what else is answered");
    },
  },
  {
    name: "S29 each change comes after the cursor, as the run then is, and then nothing more",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      const reader = new ChangedReader();
      for (const other of ["still", "ended"]) await createRun(store, other);
      await land(store, "ended", END);
      const changes: readonly [what: string, change: () => Promise<unknown>, gone?: true][] = [
        ["a creation", () => createRun(store, "run")],
        ["the first event", () => land(store, "run", events(1))],
        ["an event that changes only the sequence", () => land(store, "run", events(1))],
        ["a phase", () => land(store, "run", [event("PHASE_STARTED", '{"phase":"plan"}')])],
        ["a question", () => land(store, "run", [event("INPUT_REQUESTED")])],
        ["its answer", () => land(store, "run", [event("INPUT_RECEIVED")])],
        ["the end", () => land(store, "run", END)],
        ["the removal", () => store.deleteRun("run", OWNER), true],
        ["another run with the id", () => createRun(store, "run")],
        ["its end", () => land(store, "run", END)],
        ["its purge", () => purgeAll(store), true],
      ];
      await reader.askAll(store);
      for (const [at, [what, change, isGone]] of changes.entries()) {
        await change();
        const came = await reader.askAll(stores[at % stores.length] ?? store);
        const named = isGone ? [[], came.gone] : [came.runs, []];
        assert(named.flat().includes("run"), `${what} comes, got ${JSON.stringify(came)}`);
        assertEqual([came.runs, came.gone], named, `what comes after ${what}`);
        assertEqual(reader.runs.get("run") ?? null, await store.getRun("run"), what);
      }
    },
  },
  {
    name: "S29 a run that was created and ended since the cursor comes, and one that was removed too is gone",
    async run({ store }) {
      const reader = new ChangedReader();
      await reader.askAll(store);
      for (const runId of ["short", "gone"]) {
        await createRun(store, runId);
        await land(store, runId, END);
      }
      await store.deleteRun("gone", OWNER);
      const came = await reader.askAll(store);
      assertEqual(came, { runs: ["short"], gone: ["gone"] }, "what comes");
    },
  },
  {
    name: "S29 every way to end a run comes: by its worker, its owner and a reaper",
    async run({ store }) {
      const reader = new ChangedReader();
      const held = [];
      for (const runId of ["worker", "owner"]) {
        await createRun(store, runId);
        held.push(await claim(store, runId));
      }
      await reader.askAll(store);
      const [first] = held;
      assert(first !== undefined, "a run is claimed");
      await land(store, "worker", END, under(first));
      await land(store, "owner", [event("RUN_CANCELLED")], { appender: { by: "owner" } });
      const { runs } = await reader.askAll(store);
      assertEqual(runs, ["owner", "worker"], "the runs that come");
    },
  },
  {
    name: "S29 a group of appends in which some runs end brings each of them",
    async run({ store }) {
      const reader = new ChangedReader();
      const runIds = ["a", "b", "c", "d"];
      for (const runId of runIds) await createRun(store, runId);
      await reader.askAll(store);
      const batches = [events(1), END, [...events(2), ...END], events(1)];
      await store.append(runIds.map((runId, at) => appendRequest(runId, batches[at] ?? [])));
      await reader.askAll(store);
      const statuses = runIds.map((runId) => reader.runs.get(runId)?.runStatus);
      assertEqual(statuses, ["running", "completed", "completed", "running"], "the statuses");
    },
  },
  {
    name: "S29 each answer names the live runs that the reader has with it, and none that is still to come",
    async run({ store }) {
      const reader = new ChangedReader();
      const runIds = ["a", "b", "c", "d", "e"];
      for (const runId of runIds) await createRun(store, runId);
      for (let hasMore = true; hasMore;) {
        const answer = await reader.ask(store, 2);
        const named = idsOf(answer.live);
        const had = [...reader.runs.keys()].toSorted();
        // While more is to come, a run that the reader has may be missing.
        const expected = answer.hasMore ? had.filter((runId) => named.includes(runId)) : had;
        assertEqual(named, expected, "the live runs");
        ({ hasMore } = answer);
      }
      await land(store, "a", END);
      await land(store, "b", events(1));
      const back = new ChangedReader();
      await back.askAll(store);
      for (const one of [reader, back]) {
        await one.askAll(store);
        const { live } = await one.ask(store);
        assertEqual(idsOf(live), ["b", "c", "d", "e"], "the live runs when nothing is new");
      }
    },
  },
  {
    name: "S29 with a topic only its runs come, to their end and their removal",
    async run({ store }) {
      const topics = ["tea", "Tea", "te%", null];
      const readers = topics.map((topic) => new ChangedReader(topic));
      for (const reader of readers) await reader.askAll(store);
      const idsOf = (topic: string | null): readonly string[] =>
        topic === null ? topics.map(String).toSorted() : [topic];
      const steps: readonly [(runId: string, topic: string | null) => Promise<unknown>, boolean][] =
        [
          [(runId, topic) => create(store, runId, topic), false],
          [(runId) => land(store, runId, events(1)), false],
          [(runId) => land(store, runId, END), false],
          [(runId) => store.deleteRun(runId, OWNER), true],
        ];
      for (const [step, isGone] of steps) {
        for (const topic of topics) await step(String(topics.indexOf(topic)), topic);
        for (const [at, reader] of readers.entries()) {
          const topic = topics[at] ?? null;
          const ids = idsOf(topic).map((name) => String(topics.map(String).indexOf(name)));
          const came = await reader.askAll(store);
          const expected = {
            runs: isGone ? [] : ids.toSorted(),
            gone: isGone ? ids.toSorted() : [],
          };
          assertEqual(came, expected, `what comes of the topic ${topic}`);
        }
      }
    },
  },
  {
    name: "S29 many runs come page by page, also those that change between two pages",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      for (let at = 0; at < MANY; at++) await createRun(store, `run-${at}`);
      const reader = new ChangedReader();
      let pages = 0;
      for (let hasMore = true; hasMore; pages++) {
        assert(pages <= MANY, `${MANY} runs come in ${MANY} pages at most`);
        // A run of each kind of page: one that came, and one that is still to come.
        await land(store, "run-0", events(1));
        if (pages === 2) await land(store, `run-${MANY - 1}`, END);
        ({ hasMore } = await reader.ask(stores[pages % stores.length] ?? store, 20));
      }
      assert(pages > 2, `${MANY} runs come in several pages`);
      await reader.askAll(store, 20);
      assertEqual(reader.runs.size, MANY, "the number of the runs that came");
      for (let at = 0; at < MANY; at += 2) await land(store, `run-${at}`, END);
      await reader.askAll(store, 7);
      for (let at = 0; at < MANY; at += 4) await store.deleteRun(`run-${at}`, OWNER);
      const { gone } = await reader.askAll(store, 1);
      assertEqual(gone.length, MANY / 4, "the number of the runs that are gone");
      await checkAll(store, reader);
    },
  },
  {
    name: "S29 a cursor may be used again, and answers no less the second time",
    async run({ store }) {
      await createRun(store, "run");
      await createRun(store, "other");
      const reader = new ChangedReader();
      await reader.askAll(store);
      const { cursor } = reader;
      await land(store, "run", END);
      await createRun(store, "third");
      for (let time = 0; time < 3; time++) {
        reader.resume(cursor);
        const { runs } = await reader.askAll(store);
        // Others may come again without a change.
        for (const runId of ["run", "third"])
          assert(runs.includes(runId), `the same cursor gives ${runId}, time ${time + 1}`);
      }
    },
  },
  {
    name: "S29 another owner's cursor, another topic's, another store's and no cursor at all start over",
    async run(trial) {
      const { store } = trial;
      const ask = (since: string, ownerId = OWNER, topic: string | null = null) =>
        store.listChanged({ ownerId, topic, since, limit: 10 });
      await departOne(store, "first");
      await createRun(store, "run");
      const { cursor } = await new ChangedReader().ask(store);
      let foreign = "";
      await trial.withFreshStore(async (other) => {
        for (const runId of ["a", "b", "c"]) await departOne(other.store, runId);
        ({ cursor: foreign } = await new ChangedReader().ask(other.store));
      });
      const answers = [
        ["another owner", await ask(cursor, "bob")],
        ["another topic", await ask(cursor, OWNER, "tea")],
        ["another store", await ask(foreign)],
        ["no store", await ask("nonsense")],
        ["a store that writes otherwise", await ask(cursor.replace(/[^.]*$/, "other"))],
      ] as const;
      for (const [what, { isReset }] of answers) {
        assert(isReset, `an answer to the cursor of ${what} starts over`);
      }
      const [, , [, { runs }]] = answers;
      assertEqual(
        runs.map(({ runId }) => runId),
        ["run"],
        "the runs of the new beginning",
      );
    },
  },
];

async function create(
  store: RunEventStore,
  runId: string,
  topic: string | null,
): Promise<RunRecord | null> {
  await store.createRun({ runId, ownerId: OWNER, metadata: "null", topic });
  return store.getRun(runId);
}

/** Makes a run and removes it. */
async function departOne(store: RunEventStore, runId: string): Promise<void> {
  await createRun(store, runId);
  await land(store, runId, END);
  await store.deleteRun(runId, OWNER);
}

/** Removes all finished runs. */
async function purgeAll(store: RunEventStore): Promise<void> {
  while ((await store.purge({ finishedForMs: 0, limit: 10 })).length > 0);
}

/** Checks that a reader has every run of the owner, and each as it is. */
async function checkAll(store: RunEventStore, reader: ChangedReader): Promise<void> {
  const query = { ownerId: OWNER, runStatus: null, before: null, limit: 2 * MANY };
  const truth = await store.listRuns(query);
  assertEqual(reader.runs.size, truth.length, "the number of the runs that the reader has");
  for (const run of truth) assertEqual(reader.runs.get(run.runId), run, `${run.runId} in the feed`);
}

function idsOf(runs: readonly { readonly runId: string }[]): readonly string[] {
  return runs.map(({ runId }) => runId).toSorted();
}
