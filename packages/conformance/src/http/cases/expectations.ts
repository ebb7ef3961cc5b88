import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { appendCall, getRun, record } from "../runs.ts";

async function assertUntouched(trial: HttpTrial, runId: string): Promise<void> {
  assertEqual((await getRun(trial, runId))["lastSequence"], 0, "lastSequence after the refusal");
}

async function lastOf(trial: HttpTrial, runId: string): Promise<unknown> {
  return (await getRun(trial, runId))["lastSequence"];
}

/** Cases of W11 in `WIRE.md`: appends that expect a sequence. */
export const expectations: readonly HttpTrialCase[] = [
  {
    name: "W11 exactly one of the racing appends that expect the same sequence lands",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const call = appendCall(trial, runId, ["NOTE"], {}, ',"expectedSequence":1');
      const answers = await Promise.all(Array.from({ length: 6 }, () => trial.send(call)));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assertEqual(statuses, [201, 412, 412, 412, 412, 412], "the statuses");
      assertEqual(await lastOf(trial, runId), 2, "the run's length");
    },
  },
  {
    name: "W11 an expectedSequence that is not a sequence is 400",
    async run(trial) {
      const runId = await record(trial);
      for (const expected of ["-1", "1.5", '"0"', "null"]) {
        const more = `,"expectedSequence":${expected}`;
        const answer = await trial.send(appendCall(trial, runId, ["NOTE"], {}, more));
        assertProblem(answer, 400, "invalid_request");
      }
      await assertUntouched(trial, runId);
    },
  },
];
