import { assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { notes, phase } from "../draft.ts";
import { claim, release, renew } from "../claims.ts";
import {
  appendCall,
  getRun,
  land,
  linesCall,
  pathOf,
  readPage,
  record,
  tailLive,
} from "../runs.ts";

function cancel(trial: HttpTrial, runId: string): Promise<Answer> {
  const path = pathOf(runId, "/cancel");
  return trial.send({ method: "POST", path, headers: trial.owner.bearer });
}

/** Cases of W13 in `WIRE.md`: cancelling. */
export const cancelling: readonly HttpTrialCase[] = [
  {
    name: "W13 cancels that race append one event, and all are answered with the run",
    async run(trial) {
      const runId = await record(trial, phase("p"));
      const racing = await Promise.all(Array.from({ length: 6 }, () => cancel(trial, runId)));
      for (const answer of [...racing, await cancel(trial, runId)]) {
        assertStatus(answer, 200);
        assertMembers(answer, {
          runId,
          runStatus: "cancelled",
          currentPhase: "p",
          lastSequence: 2,
        });
      }
      const types = (await readPage(trial, runId)).events.map(({ eventType }) => eventType);
      assertEqual(types, ["PHASE_STARTED", "RUN_CANCELLED"], "the log");
    },
  },
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
    name: "W13 a cancel that races appends ends the run once, after what landed",
    async run(trial) {
      for (let round = 0; round < 5; round++) {
        const runId = await record(trial);
        const appends = [1, 2, 3].map((size) => trial.send(appendCall(trial, runId, notes(size))));
        const [cancelled, ...answers] = await Promise.all([cancel(trial, runId), ...appends]);
        assertStatus(cancelled, 200);
        const landed = answers.filter(({ status }) => status === 201);
        for (const answer of answers) {
          if (!landed.includes(answer)) assertProblem(answer, 409, "run_finished");
        }
        const { events } = await readPage(trial, runId);
        const types = events.map(({ eventType }) => eventType);
        assertEqual(types.indexOf("RUN_CANCELLED"), types.length - 1, "the index of RUN_CANCELLED");
        const sizes = landed.map((answer) => [1, 2, 3][answers.indexOf(answer)] ?? 0);
        assertEqual(
          types.length - 1,
          sizes.reduce((sum, size) => sum + size, 0),
          "what landed",
        );
      }
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
