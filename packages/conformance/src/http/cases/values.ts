import fc from "fast-check";
import { assert, assertEqual } from "../../assert.ts";
import { jsonText } from "../../json-text-arbitrary.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { compact, memberText, unescapeBreaks } from "../json-text.ts";
import type { Delivery } from "../judge-delivery.ts";
import { deliveryOf, getRun, land, post, readPage, record, tailLive } from "../runs.ts";

function payloadsOf(delivery: Delivery): readonly unknown[] {
  return delivery.flatMap((item) => (item === "end" ? [] : [item.payload]));
}

/** Cases of W1 and W2 in `WIRE.md`: what is in an event comes back as it went in. */
export const values: readonly HttpTrialCase[] = [
  {
    name: "W1 any JSON value comes back token for token, in a page and on the stream",
    async run(trial) {
      async function comesBack(texts: readonly string[]): Promise<void> {
        const drafts = texts.map((payload) => ({ eventType: "NOTE", payload }));
        const runId = await record(trial, ...drafts, "RUN_COMPLETED");
        const expected = [...texts, "null"];
        assertEqual(payloadsOf((await readPage(trial, runId)).events), expected, "the payloads");
        const frames = await (await tailLive(trial, runId)).rest();
        const streamed = payloadsOf(deliveryOf(frames)).map((text) => unescapeBreaks(String(text)));
        assertEqual(streamed, expected.map(unescapeBreaks), "the payloads on the stream");
      }

      const payloads = fc.array(jsonText, { minLength: 1, maxLength: 8 });
      await trial.check(payloads, comesBack, { kind: "wireValues" });
    },
  },
  {
    name: "W1 white space between the tokens of a payload is removed, and no other",
    async run(trial) {
      const payload = '{ "a b" :\t[ 1 ,\n2.50 ] , "c" : " \\t " }';
      const runId = await record(trial, { eventType: "NOTE", payload });
      const { answer, events } = await readPage(trial, runId);
      assertEqual(payloadsOf(events), [compact(payload)], "the payload's tokens");
      assert(answer.text.includes(compact(payload)), "no white space is between the tokens");
    },
  },
  {
    name: "W1 an event without a payload has null, and metadata come back token for token",
    async run(trial) {
      const metadata = '{"b":1.0,"a":"\\u0000\\ud83d"}';
      const created = await trial.send(post(trial, "/v1/agent-runs", `{"metadata":${metadata}}`));
      assertEqual(memberText(created.text, "metadata"), metadata, "the metadata");
      const runId = String(created.json()["runId"]);
      await land(trial, runId, ["NOTE"]);
      assertEqual(payloadsOf((await readPage(trial, runId)).events), ["null"], "the payload");
    },
  },
  {
    name: "W2 createdAt is ISO 8601 with milliseconds and never decreases, wherever it appears",
    async run(trial) {
      const runId = await record(trial);
      for (let at = 0; at < 5; at++) await land(trial, runId, ["NOTE", "NOTE"]);
      await land(trial, runId, ["RUN_COMPLETED"]);
      const run = await getRun(trial, runId);
      const { answer } = await readPage(trial, runId);
      const events = answer.json()["events"] as readonly { readonly createdAt: unknown }[];
      const times = [run["createdAt"], ...events.map(({ createdAt }) => createdAt)].map(String);
      for (const time of times) {
        assert(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time),
          `a time is ISO 8601 with milliseconds, got ${time}`,
        );
      }
      assertEqual(times.toSorted(), times, "the times in the order of the events");
      assertEqual([run["updatedAt"], run["finishedAt"]], [times.at(-1), times.at(-1)], "the end");
    },
  },
];
