import type { RunStatus } from "@tm/run-events-core";
import type { NewEvent } from "@tm/run-events-core/store";
import type { AppendRequest } from "../core-calls.ts";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { BY_INPUT } from "../lease.ts";
import { listedAs } from "../listed-as.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const ASK = [event("INPUT_REQUESTED", '{"question":"?"}')];
const INPUT = [event("INPUT_RECEIVED", '"yes"')];
const TOKEN = [event("TOKEN")];
const END = [event("RUN_COMPLETED")];

/** Appends one after another, and the status after each. */
const STEPS: readonly (readonly [batch: readonly NewEvent[], after: RunStatus])[] = [
  [INPUT, "queued"],
  [INPUT, "queued"],
  [TOKEN, "running"],
  [INPUT, "running"],
  [ASK, "waiting"],
  [TOKEN, "waiting"],
  [[event("PHASE_STARTED", '{"phase":"b"}'), event("RUN_STARTED")], "waiting"],
  [[event("PHASE_STARTED", '{"phase":"c"}')], "waiting"],
  [ASK, "waiting"],
  [INPUT, "running"],
  [INPUT, "running"],
  [[event("TOKEN"), ...ASK, event("TOKEN")], "waiting"],
  [INPUT, "running"],
  [TOKEN, "running"],
  [ASK, "waiting"],
  [[event("TOKEN"), ...END], "completed"],
];

/** Cases of S5 in `STORE.md`: a run that waits, and inputs under a lease. */
export const inputs: readonly TrialCase[] = [
  {
    name: "S5 a run waits from a request to the input, and an input leaves a queued run queued",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      for (const [index, [batch, after]] of STEPS.entries()) {
        const store = stores[index % stores.length] ?? trial.store;
        const landing = await land(store, "run", batch, conditionsOf(batch));
        const shown = [landing.runStatus, (await readLog(trial.store, "run")).run.runStatus];
        assertEqual(shown, [after, after], `the status after append ${index}`);
        assertEqual(await listedAs(trial.store, "run"), [after], `the lists after append ${index}`);
      }
      for (const [runId, first, after] of [
        ["asks", ASK, "waiting"],
        ["ends", END, "completed"],
      ] as const) {
        await createRun(trial.store, runId);
        await land(trial.store, runId, INPUT, BY_INPUT);
        const { runStatus } = await land(trial.store, runId, first);
        assertEqual(runStatus, after, `the status of a run that ${runId} after an input`);
      }
    },
  },
];

/** Only an input is by the one who gives it. */
function conditionsOf(batch: readonly NewEvent[]): Partial<Pick<AppendRequest, "appender">> {
  return batch === INPUT ? BY_INPUT : {};
}
