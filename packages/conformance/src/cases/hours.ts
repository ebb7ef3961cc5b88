import { append, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { OWNER } from "../kit-store.ts";
import { dueRuns, LONG_MS } from "../lease.ts";
import { readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Longer than what a store may keep only for a while, as a cache does. */
const HOURS = 48;
const KEYED = { idempotencyKey: "key" } as const;

/** A case of S5 in `STORE.md`: keys, topics and events do not expire. */
export const hours: readonly TrialCase[] = [
  {
    name: "S5 two days later a store still knows each key, topic and event, and lists the run as due",
    needs: "letHoursPass",
    async run({ store, beneath }) {
      const exclusive = { ownerId: OWNER, topic: "tea", exclusive: true, metadata: '{"a":1}' };
      await store.createRun({ ...exclusive, runId: "run" });
      await land(store, "run", events(3), KEYED);
      const before = await readLog(store, "run");
      assertEqual(await dueRuns(store, "running", LONG_MS), [], "what has been running for long");
      await beneath.letHoursPass(HOURS);
      const { outcome } = await append(store, "run", events(3), KEYED);
      assertEqual(outcome, "replayed", "the outcome of an append under a key that has landed");
      const other = await store.createRun({ ...exclusive, runId: "other" });
      assertEqual(other, { outcome: "topic_busy", runId: "run" }, "a second run of the topic");
      const { run, events: log } = await readLog(store, "run");
      const textsOf = (all: typeof log): readonly string[] => all.map(({ payload }) => payload);
      assertEqual(textsOf(log), textsOf(before.events), "the payloads of the log");
      assertEqual(run.metadata, before.run.metadata, "the metadata");
      assertEqual(await dueRuns(store, "running", LONG_MS), ["run"], "what has been running so");
    },
  },
];
