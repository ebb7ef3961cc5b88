import { assert, assertEqual } from "../../assert.ts";
import { assertDelivery } from "../assert-delivery.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { appendedOf, type Draft, notes, phase } from "../draft.ts";
import { deliveryOf, land, pathOf, record, tail, tailLive } from "../runs.ts";

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
    name: "W22 an event on the stream is the event of the page, byte for byte in its payload",
    async run(trial) {
      const drafts = [{ eventType: "NOTE", payload: '{"b":1.0,"a":1e2}' }, "RUN_FAILED"];
      const runId = await record(trial, ...drafts);
      const all = await (await tailLive(trial, runId)).rest();
      const page = await trial.send({
        path: pathOf(runId, "/events"),
        headers: trial.owner.bearer,
      });
      const streamed = all.flatMap(({ message }) => message["event"] ?? []);
      assertEqual(streamed, page.json()["events"], "the events of the stream");
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
    name: "W22 events that are appended while a reader joins come once each, in order",
    async run(trial) {
      for (let round = 0; round < 5; round++) {
        const runId = await record(trial, ...notes(round));
        const batches = [notes(2, round), notes(1, round + 2), notes(3, round + 3), ["RUN_FAILED"]];
        const joining = Promise.all(
          Array.from({ length: 4 }, async () => (await tailLive(trial, runId)).rest()),
        );
        // Looked at below, unless an append fails first.
        joining.catch(() => {});
        for (const batch of batches) await land(trial, runId, batch);
        const drafts = [...notes(round), ...batches.flat()];
        for (const all of await joining) assertDelivered(all, drafts);
      }
    },
  },
  {
    name: "W22 events that are appended when a reader has caught up come once each, in order",
    async run(trial) {
      const runId = await record(trial, ...notes(2));
      const stream = await tailLive(trial, runId);
      const all = [...(await stream.until("connected"))];
      all.push(await stream.next(), await stream.next());
      for (const batch of [notes(1, 2), notes(2, 3), ["RUN_COMPLETED"]]) {
        await land(trial, runId, batch);
      }
      all.push(...(await stream.rest()));
      assertDelivered(all, [...notes(5), "RUN_COMPLETED"]);
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
  {
    name: "W23 a connected reader gets the end once, after the last event",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const stream = await tailLive(trial, runId);
      await stream.until("run_event");
      await land(trial, runId, ["NOTE", phase("last"), "RUN_CANCELLED"]);
      const all = await stream.rest();
      const ends = all.flatMap(({ message }) => message["lastSequence"] ?? []);
      assert(
        ends.length > 0 && ends.every((at) => Number(at) <= 4),
        "no frame has a larger lastSequence",
      );
      assertDelivered(all, ["NOTE", "NOTE", phase("last"), "RUN_CANCELLED"], 1);
      assertEqual(statesOf(all).at(-1), ["run_finished", "cancelled", "last"], "the end");
    },
  },
  {
    name: "W24 the stream of a run that does not exist is a problem, not a stream",
    async run(trial) {
      const stream = await tail(trial, "nobodys");
      assertEqual(stream.status, 404, "the status");
    },
  },
];
