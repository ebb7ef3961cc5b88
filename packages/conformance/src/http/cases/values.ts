import fc from "fast-check";
import { assert, assertEqual } from "../../assert.ts";
import { jsonText } from "../../json-text-arbitrary.ts";
import { assertStatus, assertTime } from "../assert-answer.ts";
import type { HttpCases } from "../http-trial.ts";
import type { Delivery } from "../judge-delivery.ts";
import { compact, memberText, unescapeBreaks } from "../json-text.ts";
import { deliveryOf } from "../wire-run.ts";
import { RUNS } from "../paths.ts";

function payloadsOf(delivery: Delivery): readonly unknown[] {
  return delivery.flatMap((item) => (item === "end" ? [] : [item.payload]));
}

/** Cases of W1 and W2 in `WIRE.md`: what is in an event comes back as it went in. */
export const values: HttpCases = {
  "W1 any JSON value comes back token for token, in a page and on the stream": async ({
    owner,
    check,
  }) => {
    async function comesBack(texts: readonly string[]): Promise<void> {
      const drafts = texts.map((payload) => ({ eventType: "NOTE", payload }));
      // An event without a payload has null.
      const run = await owner.record(...drafts, "RUN_COMPLETED");
      const expected = [...texts, "null"];
      assertEqual(payloadsOf((await run.page()).events), expected, "the payloads");
      const frames = await (await run.live()).rest();
      const streamed = payloadsOf(deliveryOf(frames)).map((text) => unescapeBreaks(String(text)));
      assertEqual(streamed, expected.map(unescapeBreaks), "the payloads on the stream");
    }

    const payloads = fc.array(jsonText, { minLength: 1, maxLength: 8 });
    await check(payloads, comesBack, { kind: "wireValues" });
  },
  "W1 white space between the tokens of a payload is removed, and no other; metadata come back token for token":
    async ({ owner }) => {
      const payload = '{ "a b" :\t[ 1 ,\n2.50 ] , "c" : " \\t " }';
      const { text, events } = await (await owner.record({ eventType: "NOTE", payload })).page();
      assertEqual(payloadsOf(events), [compact(payload)], "the payload's tokens");
      assert(text.includes(compact(payload)), "no white space is between the tokens");
      const metadata = '{"b":1.0,"a":"\\u0000\\ud83d"}';
      const created = await owner.post(RUNS, `{"metadata":${metadata}}`);
      assertStatus(created, 201);
      assertEqual(memberText(created.text, "metadata"), metadata, "the metadata");
    },
  "W2 createdAt is ISO 8601 with milliseconds and never decreases, wherever it appears": async ({
    owner,
  }) => {
    const run = await owner.record();
    for (let at = 0; at < 5; at++) await run.land(["NOTE", "NOTE"]);
    await run.land(["RUN_COMPLETED"]);
    const { createdAt, updatedAt, finishedAt } = await run.read();
    const times = [String(createdAt), ...(await run.times())];
    for (const time of times) assertTime(time);
    assertEqual(times.toSorted(), times, "the times in the order of the events");
    assertEqual([updatedAt, finishedAt], [times.at(-1), times.at(-1)], "the end");
  },
};
