import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { type Draft, phase } from "../draft.ts";
import { appendCall, getRun, land, readPage, record } from "../runs.ts";

const STEPS: readonly (readonly [Draft, string, string | null])[] = [
  ["NOTE", "running", null],
  ["RUN_STARTED", "running", null],
  [phase("plan"), "running", "plan"],
  [{ eventType: "PHASE_STARTED", payload: '{"phase":7}' }, "running", "plan"],
  [{ eventType: "NOTE", payload: '{"phase":"no"}' }, "running", "plan"],
  [phase("build"), "running", "build"],
];

/** Cases of W6 and W7 in `WIRE.md`: what moves a run. */
export const lifecycle: readonly HttpTrialCase[] = [
  {
    name: "W6 status and phase are a fold over the log, in receipt, snapshot and page",
    async run(trial) {
      const ends = [
        ["RUN_COMPLETED", "completed"],
        ["RUN_FAILED", "failed"],
        ["RUN_CANCELLED", "cancelled"],
      ] as const;
      for (const [end, ended] of ends) {
        const runId = await record(trial);
        const queued = await getRun(trial, runId);
        assertEqual([queued["runStatus"], queued["currentPhase"]], ["queued", null], "a new run");
        for (const [draft, status, current] of [...STEPS, [end, ended, "build"] as const]) {
          const receipt = await land(trial, runId, [draft]);
          const run = await getRun(trial, runId);
          const page = await readPage(trial, runId);
          for (const { runStatus, currentPhase } of [receipt, run, page]) {
            const what = `status and phase after event ${receipt.lastSequence}`;
            assertEqual([runStatus, currentPhase], [status, current], what);
          }
        }
      }
    },
  },
  {
    name: "W7 an append to a finished run is refused and leaves it as it was",
    async run(trial) {
      for (const [end, runStatus] of [
        ["RUN_COMPLETED", "completed"],
        ["RUN_FAILED", "failed"],
        ["RUN_CANCELLED", "cancelled"],
      ] as const) {
        const runId = await record(trial, "NOTE", end);
        const before = (await readPage(trial, runId)).answer.text;
        for (const late of ["NOTE", "RUN_COMPLETED"]) {
          const answer = await trial.send(appendCall(trial, runId, [late]));
          assertProblem(answer, 409, "run_finished", { runStatus, lastSequence: 2 });
        }
        assertEqual((await readPage(trial, runId)).answer.text, before, "the page");
      }
    },
  },
];
