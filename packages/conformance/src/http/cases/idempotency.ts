import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { phase } from "../draft.ts";
import { appendCall, getRun, land, receiptOf, record } from "../runs.ts";

const KEYED = { "idempotency-key": "key 1~" };

/** Cases of W10 in `WIRE.md`: the same key again. */
export const idempotency: readonly HttpTrialCase[] = [
  {
    name: "W10 the same key with the same events gets the first receipt, even after the run has ended",
    async run(trial) {
      const runId = await record(trial);
      const draft = { eventType: "PHASE_STARTED", payload: '{"phase":"a","n":1.0}' };
      const first = await land(trial, runId, [draft], KEYED);
      const spaced = { ...draft, payload: '{ "phase" : "a", "n" : 1.0 }' };
      for (const next of [phase("b"), "NOTE", "RUN_COMPLETED"]) {
        await land(trial, runId, [next]);
        for (const same of [draft, spaced]) {
          const again = await trial.send(appendCall(trial, runId, [same], KEYED));
          assertStatus(again, 200);
          assertEqual(receiptOf(again), { ...first, replayed: true }, "the receipt");
        }
      }
      assertEqual((await getRun(trial, runId))["lastSequence"], 4, "lastSequence");
    },
  },
  {
    name: "W10 the key is checked before the end of the run and before expectedSequence",
    async run(trial) {
      const runId = await record(trial);
      const more = ',"expectedSequence":0';
      const call = appendCall(trial, runId, ["RUN_FAILED"], KEYED, more);
      assertStatus(await trial.send(call), 201);
      const again = await trial.send(call);
      assertStatus(again, 200);
      assertEqual(receiptOf(again).replayed, true, "replayed");
      const other = await trial.send(appendCall(trial, runId, ["NOTE"], KEYED));
      assertProblem(other, 422, "idempotency_key_reused");
    },
  },
  {
    name: "W10 a key has 1 to 128 printable ASCII characters",
    async run(trial) {
      const runId = await record(trial);
      for (const key of ["", "k".repeat(129), "sch\u00f6n", "a\tb"]) {
        const call = appendCall(trial, runId, ["NOTE"], { "idempotency-key": key });
        assertProblem(await trial.send(call), 400, "invalid_request");
      }
      await land(trial, runId, ["NOTE"], { "idempotency-key": "~".repeat(128) });
      assertEqual((await getRun(trial, runId))["lastSequence"], 1, "lastSequence");
    },
  },
];
