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
    name: "W7 a batch with an event after a terminal one is refused whole",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      for (const end of ["RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"]) {
        const answer = await trial.send(appendCall(trial, runId, ["NOTE", end, "NOTE"]));
        assertProblem(answer, 422, "invalid_event", { index: 2 });
      }
      const run = await getRun(trial, runId);
      assertEqual([run["lastSequence"], run["runStatus"]], [1, "running"], "the run");
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
  {
    name: "W7 when appends race to end a run, one lands, and it is the last",
    async run(trial) {
      const runId = await record(trial);
      const ends = ["RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"];
      const answers = await Promise.all(
        [...ends, ...ends].map((end) => trial.send(appendCall(trial, runId, ["NOTE", end]))),
      );
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assertEqual(statuses, [201, 409, 409, 409, 409, 409], "the statuses");
      const { events } = await readPage(trial, runId);
      assertEqual(events.length, 2, "the number of events");
    },
  },
];
