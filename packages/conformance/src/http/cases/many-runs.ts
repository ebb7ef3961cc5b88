import { assertEqual } from "../../assert.ts";
import { appendedOf, type Draft, notes } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import { assertDelivery } from "../judge-delivery.ts";
import type { Frame } from "../read-frames.ts";
import { deliveryOf, type WireRun } from "../wire-run.ts";
import { moved } from "./pages.ts";
import { RUNS_STREAM } from "../paths.ts";

function framesOf({ id }: { readonly id: string }, frames: readonly Frame[]): readonly Frame[] {
  return frames.filter(({ message }) => message["runId"] === id);
}

/** Cases of W46 and W47 in `WIRE.md`: many runs on one stream. */
export const manyRuns: HttpCases = {
  "W47 each run has its events after its own cursor and its end, and the stream ends after the last":
    async ({ owner }) => {
      const logs: readonly (readonly [Draft[], number])[] = [
        [[...notes(4), "RUN_COMPLETED"], 0],
        [[...notes(7), "RUN_FAILED"], 2],
        [["RUN_CANCELLED"], 0],
      ];
      const starts: (readonly [WireRun, number])[] = [];
      for (const [log, since] of logs) starts.push([await owner.record(...log), since]);
      const frames = await (await owner.followRuns(starts)).rest();
      const last = frames.at(-1);
      const found = [last?.message["type"], last?.retryMs];
      assertEqual(found, ["stream_finished", 3_600_000], "type and retry of the last frame");
      for (const [at, [run, since]] of starts.entries()) {
        const log = (logs[at]?.[0] ?? []).map(appendedOf);
        assertDelivery(log, since, deliveryOf(framesOf(run, frames)), `The run ${at + 1}`);
      }
    },
  "W47 a run that fails ends alone: one that is another user's as one that does not exist, and one whose log ends before its cursor":
    async ({ owner, stranger }) => {
      const run = await owner.record("NOTE");
      const [other, ahead] = [await stranger.record(), await owner.record("NOTE")];
      const none = { id: "nobodys" };
      const stream = await owner.followRuns([
        [other, 0],
        [run, 0],
        [ahead, 5],
        [none, 0],
      ]);
      const frames: Frame[] = [];
      const isOwed = (one: { readonly id: string }): boolean => framesOf(one, frames).length === 0;
      while ([other, ahead, none].some(isOwed)) frames.push(await stream.next());
      await run.land(["RUN_COMPLETED"]);
      frames.push(...(await stream.rest()));
      const [theirs, nobodys, early] = [other, none, ahead].map((one) => {
        const { runId: _, ...rest } = framesOf(one, frames)[0]?.message ?? {};
        return rest;
      });
      assertEqual(theirs, nobodys, "the error of another user's run, and that of none");
      assertEqual(theirs?.["code"], "not_found", "the code");
      const found = [early?.["code"], early?.["lastSequence"]];
      assertEqual(found, ["cursor_ahead", 1], "the error of a cursor past the end");
      const log = ["NOTE", "RUN_COMPLETED"].map(appendedOf);
      assertDelivery(log, 0, deliveryOf(framesOf(run, frames)), "The run that goes on");
    },
  "W46 on a stream of many runs, a run whose event has another time ends alone, and the others go on":
    async ({ owner }) => {
      const [lost, same] = [await owner.record(...notes(3)), await owner.record(...notes(3))];
      const [wrong, right] = [(await lost.times())[1], (await same.times())[1]];
      const runs = `${lost.id}:2@${moved(wrong, 1)},${same.id}:2@${right}`;
      const stream = await owner.follow(RUNS_STREAM, `runs=${runs}`);
      await same.land(["RUN_COMPLETED"]);
      const frames = await stream.rest();
      const found = framesOf(lost, frames).map(({ message }) => message["code"]);
      assertEqual(found, ["history_changed"], "the frames of the changed run");
      const log = [...notes(3), "RUN_COMPLETED"].map(appendedOf);
      assertDelivery(log, 2, deliveryOf(framesOf(same, frames)), "The other run");
    },
};
