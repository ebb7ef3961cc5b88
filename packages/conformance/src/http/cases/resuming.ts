import { assert, assertEqual } from "../../assert.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import { pathOf, record, tail, tailLive } from "../runs.ts";

/** A `since`, a `Last-Event-ID`, and what is to come of them. */
type Resumption<Outcome> = readonly [query: string, header: string | null, outcome: Outcome];

const FAR = "9".repeat(40);

function headersOf(header: string | null): Readonly<Record<string, string>> {
  return header === null ? {} : { "last-event-id": header };
}

/** Cases of W24 in `WIRE.md`: coming back. */
export const resuming: readonly HttpTrialCase[] = [
  {
    name: "W24 on a finished run the header alone decides between 204 and the end",
    async run(trial) {
      const runId = await record(trial, "NOTE", "RUN_COMPLETED");
      const ends = ["connected", "run_finished"];
      const cases: readonly Resumption<204 | readonly string[]>[] = [
        ["", "1", ["connected", "run_event", "run_finished"]],
        ["", "2", ends],
        ["", "3", 204],
        ["", "4", 204],
        ["", FAR, 204],
        ["since=0", "3", 204],
        ["since=2", null, ends],
        ["since=3", null, ends],
        ["since=4", null, ["error"]],
        ["since=3", "2", ends],
        ["since=4", "3", 204],
      ];
      for (const [query, header, expected] of cases) {
        const stream = await tail(trial, runId, query, headersOf(header));
        const found = stream.status === 200 ? typesOf(await stream.rest()) : stream.status;
        const what = `what comes of ${query || "no since"} and Last-Event-ID ${header}`;
        assertEqual(found, expected, what);
      }
    },
  },
  {
    name: "W24 the 204 has no body and no-store",
    async run(trial) {
      const path = pathOf(await record(trial, "RUN_FAILED"), "/stream");
      const headers = { ...trial.owner.session, "last-event-id": "2" };
      for (const method of ["GET", "HEAD"]) {
        const answer = await trial.send({ method, path, headers });
        assertEqual([answer.status, answer.text], [204, ""], `the answer to ${method}`);
        assert(
          (answer.headers.get("cache-control") ?? "").includes("no-store"),
          "no cache may keep the 204",
        );
      }
    },
  },
  {
    name: "W24 a cursor past the end of a live run is cursor_ahead, in a frame",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const cases: readonly (readonly [string, string | null])[] = [
        ["since=2", null],
        ["since=0", "2"],
        [`since=${FAR}`, null],
        ["", FAR],
      ];
      for (const [query, header] of cases) {
        const stream = await tailLive(trial, runId, query, headersOf(header));
        const [frame, ...more] = await stream.rest();
        const { code, lastSequence } = frame?.message ?? {};
        assertEqual(
          [code, lastSequence, more],
          ["cursor_ahead", 1, []],
          `the frame with ${query || "no since"} and Last-Event-ID ${header}`,
        );
      }
    },
  },
];
