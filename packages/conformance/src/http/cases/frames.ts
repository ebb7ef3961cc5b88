import { assertEqual } from "../../assert.ts";
import { assertDelivery } from "../assert-delivery.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { appendedOf, type Draft, notes, phase } from "../draft.ts";
import { deliveryOf, land, record, tailLive } from "../runs.ts";

/** The run's state in the frames of a stream. */
function statesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames
    .filter(({ message }) => message["type"] !== "run_event")
    .map(({ message: { type, runStatus, currentPhase } }) => [type, runStatus, currentPhase]);
}

function assertDelivered(frames: readonly Frame[], drafts: readonly Draft[], since = 0): void {
  assertDelivery(drafts.map(appendedOf), since, deliveryOf(frames));
}

/** Cases of W22 and W23 in `WIRE.md`: the frames of a stream. */
export const frames: readonly HttpTrialCase[] = [
  {
    name: "W22 a finished run is connected, its events, and run_finished",
    async run(trial) {
      const drafts = ["NOTE", phase("p"), ...notes(3), "RUN_COMPLETED"];
      const runId = await record(trial, ...drafts);
      const all = await (await tailLive(trial, runId)).rest();
      const events = drafts.map(() => "run_event");
      assertEqual(typesOf(all), ["connected", ...events, "run_finished"], "the types");
      assertDelivered(all, drafts);
      assertEqual(all[0]?.message["lastSequence"], 6, "lastSequence of connected");
    },
  },
  {
    name: "W22 a change of status or phase comes in a status frame",
    async run(trial) {
      const runId = await record(trial);
      const stream = await tailLive(trial, runId);
      await stream.until("connected");
      const states: unknown[] = [];
      for (const draft of ["NOTE", phase("one"), phase("two")]) {
        await land(trial, runId, [draft]);
        states.push(...statesOf(await stream.until("status")));
      }
      assertEqual(
        states,
        [
          ["status", "running", null],
          ["status", "running", "one"],
          ["status", "running", "two"],
        ],
        "the status frames",
      );
    },
  },
  {
    name: "W23 only run_finished shows that a run has ended; before that it is running, in its current phase",
    async run(trial) {
      const drafts = ["NOTE", phase("one"), "NOTE", phase("two"), "RUN_FAILED"];
      const runId = await record(trial, ...drafts);
      for (let since = 0; since <= drafts.length; since++) {
        const all = await (await tailLive(trial, runId, `since=${since}`)).rest();
        const states = [
          ["connected", "running", "two"],
          ["run_finished", "failed", "two"],
        ];
        assertEqual(statesOf(all), states, `the states from ${since} on`);
        assertDelivered(all, drafts, since);
      }
    },
  },
];
