import { assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { claim, release, renew } from "../claims.ts";
import { appendCall, getRun, land, linesCall, pathOf, record, tailLive } from "../runs.ts";

function cancel(trial: HttpTrial, runId: string): Promise<Answer> {
  const path = pathOf(runId, "/cancel");
  return trial.send({ method: "POST", path, headers: trial.owner.bearer });
}

/** Cases of W13 in `WIRE.md`: cancelling. */
export const cancelling: readonly HttpTrialCase[] = [
  {
    name: "W13 a cancel leaves a run that ended otherwise as it is",
    async run(trial) {
      const runId = await record(trial, "RUN_COMPLETED");
      const answer = await cancel(trial, runId);
      assertStatus(answer, 200);
      assertMembers(answer, { runStatus: "completed", lastSequence: 1 });
    },
  },
  {
    name: "W13 a claimed run is cancelled without its fence, and its worker gets run_finished",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const { fence } = await claim(trial, runId);
      const cancelled = await cancel(trial, runId);
      assertStatus(cancelled, 200);
      const ended = { runStatus: "cancelled", lastSequence: 2 };
      assertMembers(cancelled, ended);
      const fenced = { "run-fence": String(fence) };
      const late = [
        trial.send(appendCall(trial, runId, ["NOTE"], fenced)),
        trial.send(linesCall(trial, runId, '{"eventType":"NOTE"}', fenced)),
        renew(trial, runId, fence),
        release(trial, runId, fence),
      ];
      for (const answer of await Promise.all(late)) {
        assertProblem(answer, 409, "run_finished", ended);
      }
    },
  },
  {
    name: "W13 a client that disconnects cancels nothing",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const stream = await tailLive(trial, runId);
      await stream.until("run_event");
      stream.leave();
      await land(trial, runId, ["NOTE"]);
      assertEqual((await getRun(trial, runId))["runStatus"], "running", "the status");
    },
  },
];
