import { events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const ENDS = ["a", "b"];
/** Texts that a store may take for one another, or for nothing. */
const OWNERS = ENDS.map((last) => "o".repeat(1_000) + last);
const TOPICS = ["null", "tea", "tea ", ...ENDS.map((last) => "t".repeat(199) + last)];
const KEYS = ["k", "k ", ...ENDS.map((last) => "k".repeat(127) + last)];

const LIST = { runStatus: null, before: null, limit: 10 } as const;

/** Cases of S8 in `STORE.md`: texts are compared byte for byte. Programs try shorter ones. */
export const texts: readonly TrialCase[] = [
  {
    name: "S8 owners, topics and keys that differ in their last character or a space are distinct, and a topic may be called null",
    async run({ store }) {
      for (const ownerId of OWNERS) {
        await createRun(store, "run", ownerId);
        for (const topic of TOPICS) {
          const request = { runId: runOf(topic), ownerId, topic, exclusive: true };
          const created = await store.createRun({ ...request, metadata: "null" });
          assertEqual(created.outcome, "created", "the outcome");
        }
        for (const [index, idempotencyKey] of KEYS.entries()) {
          const landing = await land(store, "run", events(1), { ownerId, idempotencyKey });
          assertEqual(landing.firstSequence, index + 1, `where "${idempotencyKey}" lands`);
        }
      }
      for (const ownerId of OWNERS) {
        for (const topic of TOPICS) {
          const listed = await store.listRuns({ ...LIST, ownerId, topic });
          assertEqual(
            listed.map(({ runId }) => runId),
            [runOf(topic)],
            `the runs of the topic "${topic}"`,
          );
        }
        const all = await store.listRuns({ ...LIST, ownerId });
        assertEqual(all.length, 1 + TOPICS.length, "the number of all runs of the owner");
      }
    },
  },
];

/** The id of the exclusive run of a topic. */
function runOf(topic: string): string {
  return `run-${TOPICS.indexOf(topic)}`;
}
