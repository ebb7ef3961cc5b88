import { assert, assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import { SNAPSHOT } from "../check-runs-frame.ts";
import { phase } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import { fenced, keyed, receiptOf } from "../wire-run.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const KEY = keyed("key 1~");
const NOTE = '{"eventType":"NOTE"}';

async function statusesOf(answers: readonly Promise<{ readonly status: number }>[]) {
  const all = await Promise.all(answers);
  return all.map(({ status }) => status).toSorted((a, b) => a - b);
}

/** Cases of W8 to W11 and W39 in `WIRE.md`: creating and appending. */
export const writing: HttpCases = {
  "W8 creating answers 201, Location and the snapshot; without an id it is a UUID": async ({
    owner,
    baseUrl,
    basePath,
  }) => {
    const answer = await owner.create({ metadata: { a: 1 } });
    assertStatus(answer, 201);
    const snapshot = answer.json();
    const id = String(snapshot["runId"]);
    assertEqual(Object.keys(snapshot).toSorted(), SNAPSHOT, "the fields of the snapshot");
    assert(UUID.test(id), `the id is a UUID, got ${id}`);
    assertMembers(answer, { runStatus: "queued", currentPhase: null, lastSequence: 0 });
    assertMembers(answer, { finishedAt: null, topic: null, lease: null, metadata: { a: 1 } });
    const location = new URL(answer.headers.get("location") ?? "", baseUrl);
    assertEqual(location.pathname, `${basePath}/${id}`, "Location");
    assertEqual(await owner.run(id).read(), snapshot, "the run at its path");
  },
  "W8 when creations of one id race, one is 201 and the rest are 200": async ({ owner }) => {
    const runId = crypto.randomUUID();
    const statuses = await statusesOf(Array.from({ length: 6 }, () => owner.create({ runId })));
    assertEqual(statuses, [200, 200, 200, 200, 200, 201], "the statuses");
  },
  "W9 a batch is appended whole and its receipt shows where": async ({ owner }) => {
    const run = await owner.record("NOTE");
    const receipt = await run.land(["NOTE", phase("p"), "NOTE"]);
    const state = { runStatus: "running", currentPhase: "p", replayed: false };
    assertEqual(receipt, { firstSequence: 2, lastSequence: 4, ...state }, "the receipt");
    assertEqual((await run.page()).sequences, [1, 2, 3, 4], "the sequences");
  },
  "W9 1,000 events, a payload of 256 KiB and a body of 4 MiB are taken, one more byte or a deep payload is not":
    async ({ owner }) => {
      const run = await owner.record();
      // Two bytes a letter, and the quotes.
      const big = (letters: number): string => `"payload":"${"é".repeat(letters)}"}`;
      const body = (bytes: number): string => `{"events":[${NOTE}]}`.padEnd(bytes);
      for (const [leaf, text, status, code] of [
        ["/events", `{"events":[{"eventType":"BIG",${big(131_072)}]}`, 413, "payload_too_large"],
        ["/input", `{${big(131_072)}`, 413, "payload_too_large"],
        ["/events", body(4_194_305), 413, "payload_too_large"],
        ["/input", `{"payload":${"[".repeat(1_001)}${"]".repeat(1_001)}}`, 422, "invalid_event"],
      ] as const) {
        assertProblem(await run.post(leaf, text), status, code);
      }
      await run.assertLength(0);
      await run.land(Array<string>(1_000).fill("NOTE"));
      const most = `{"events":[{"eventType":"BIG",${big(131_071)}]}`;
      assertStatus(await run.post("/events", most), 201);
      assertStatus(await run.post("/events", body(4_194_304)), 201);
    },
  "W10 the same key with the same events gets the first receipt, even after the run has ended":
    async ({ owner }) => {
      const run = await owner.record();
      const draft = { eventType: "PHASE_STARTED", payload: '{"phase":"a","n":1.0}' };
      const first = await run.land([draft], KEY);
      const spaced = { ...draft, payload: '{ "phase" : "a", "n" : 1.0 }' };
      for (const next of [phase("b"), "NOTE", "RUN_COMPLETED"]) {
        await run.land([next]);
        for (const same of [draft, spaced]) {
          const again = await run.append([same], KEY, ',"expectedSequence":0');
          assertStatus(again, 200);
          assertEqual(receiptOf(again), { ...first, replayed: true }, "the receipt");
        }
      }
      assertProblem(await run.append(["NOTE"], KEY), 422, "idempotency_key_reused");
      await run.assertLength(4);
      await (await owner.record()).land(["NOTE"], keyed("~".repeat(128)));
    },
  "W11 exactly one of the racing appends that expect the same sequence lands": async ({
    owner,
  }) => {
    const run = await owner.record("NOTE");
    const appends = Array.from({ length: 6 }, () =>
      run.append(["NOTE"], {}, ',"expectedSequence":1'),
    );
    assertEqual(await statusesOf(appends), [201, 412, 412, 412, 412, 412], "the statuses");
    await run.assertLength(2);
  },
  "W39 an input is one event with the payload as it was sent": async ({ owner }) => {
    const run = await owner.record();
    const bodies = ['{"payload": {"b":1.0, "a":[]}}', "{}", '{"payload":null}'];
    for (const body of bodies) assertStatus(await run.input(body), 201);
    const { events } = await run.page();
    const found = events.map(({ eventType, payload }) => [eventType, payload]);
    const payloads = ['{"b":1.0,"a":[]}', "null", "null"];
    assertEqual(
      found,
      payloads.map((payload) => ["INPUT_RECEIVED", payload]),
      "the events",
    );
  },
  "W39 an input lands on a claimed run, and the same key with the same payload gets the first receipt, even after the end":
    async ({ owner }) => {
      const run = await owner.record("INPUT_REQUESTED");
      const { fence } = await run.claim();
      const early = await run.input('{"payload":1,"expectedSequence":7}', KEY);
      assertProblem(early, 412, "sequence_conflict", { lastSequence: 1 });
      const first = await run.input('{"payload":1,"expectedSequence":1}', KEY);
      assertStatus(first, 201);
      assertEqual(receiptOf(first).runStatus, "running", "the status in the receipt");
      await run.land(["INPUT_REQUESTED", "RUN_FAILED"], fenced(fence));
      const again = await run.input('{"payload":1}', KEY);
      assertStatus(again, 200);
      assertEqual(receiptOf(again), { ...receiptOf(first), replayed: true }, "the receipt");
      const other = await run.input('{"payload":2}', KEY);
      assertProblem(other, 422, "idempotency_key_reused");
      await run.assertLength(4);
    },
};
