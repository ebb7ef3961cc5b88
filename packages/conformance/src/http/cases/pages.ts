import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { assertDelivery } from "../assert-delivery.ts";
import { pollToEnd } from "../poll-to-end.ts";
import { appendedOf, notes, phase } from "../draft.ts";
import { getRun, land, poll, readPage, record, sequencesOf } from "../runs.ts";

const FAR = "9".repeat(40);

/** Cases of W15 and W16 in `WIRE.md`: pages. */
export const pages: readonly HttpTrialCase[] = [
  {
    name: "W15 a page holds the events after since, at any limit, and shows where the log ends",
    async run(trial) {
      const runId = await record(trial, ...notes(7));
      for (const since of [0, 1, 3, 6, 7]) {
        for (const limit of [1, 2, 7, 1_000]) {
          const page = await readPage(trial, runId, `since=${since}&limit=${limit}`);
          const length = Math.min(limit, 7 - since);
          const expected = Array.from({ length }, (_, at) => since + 1 + at);
          assertEqual(sequencesOf(page), expected, `the page after ${since} of ${limit}`);
          const { hasMore, lastSequence } = page;
          const what = `hasMore and lastSequence of the page after ${since} of ${limit}`;
          assertEqual([hasMore, lastSequence], [since + length < 7, 7], what);
        }
      }
    },
  },
  {
    name: "W15 since is 0 and limit is 500 by default",
    async run(trial) {
      const runId = await record(trial, ...Array<string>(501).fill("NOTE"));
      const page = await readPage(trial, runId);
      assertEqual([page.events.length, page.hasMore], [500, true], "the first page");
      assertEqual(page.events[0]?.sequence, 1, "its first sequence");
    },
  },
  {
    name: "W15 a cursor that is not a plain non-negative integer, or is given twice, is invalid_cursor",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      for (const since of [
        "x",
        "",
        "-1",
        "%2B1",
        "1.0",
        "1e3",
        "01",
        "%201",
        "0x1",
        "NaN",
        "1,2",
      ]) {
        assertProblem(await poll(trial, runId, `since=${since}`), 400, "invalid_cursor");
      }
      assertProblem(await poll(trial, runId, "since=0&since=0"), 400, "invalid_cursor");
    },
  },
  {
    name: "W15 a cursor past the end is cursor_ahead, however far; one past the end of a finished run is its end",
    async run(trial) {
      const live = await record(trial, "NOTE");
      const ended = await record(trial, "NOTE", "RUN_FAILED");
      for (const [runId, since, lastSequence] of [
        [live, "2", 1],
        [live, "9007199254740993", 1],
        [live, FAR, 1],
        [ended, "4", 2],
        [ended, FAR, 2],
      ] as const) {
        const answer = await poll(trial, runId, `since=${since}`);
        assertProblem(answer, 409, "cursor_ahead", { lastSequence });
      }
      for (const since of [2, 3]) {
        const { events, runStatus, hasMore } = await readPage(trial, ended, `since=${since}`);
        const found = { count: events.length, runStatus, hasMore };
        const expected = { count: 0, runStatus: "failed", hasMore: false };
        assertEqual(found, expected, `the page after ${since} of 2`);
      }
    },
  },
  {
    name: "W15 a bad limit or wait is 400",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const limits = ["limit=0", "limit=1001", "limit=x", "limit=", "limit=2&limit=2"];
      for (const query of [...limits, "wait=-1", "wait=31", "wait=", "wait=1&wait=1"]) {
        assertProblem(await poll(trial, runId, query), 400, "invalid_request");
      }
    },
  },
  {
    name: "W15 a page ends at 4 MiB but holds at least one event if one follows",
    async run(trial) {
      const runId = await record(trial);
      const big = { eventType: "BIG", payload: `"${"x".repeat(200_000)}"` };
      for (let at = 0; at < 2; at++) await land(trial, runId, Array(12).fill(big));
      const page = await readPage(trial, runId);
      const { length } = page.answer.text;
      assert(length <= 4_300_000, `a page ends at 4 MiB, got ${length} bytes`);
      assert(
        page.events.length > 0 && page.hasMore,
        "it holds an event and shows that more follow",
      );
    },
  },
  {
    name: "W16 a page that does not reach the end shows a run that has ended or waits as running, in its current phase",
    async run(trial) {
      const runId = await record(trial, "A", phase("one"));
      for (const [draft, runStatus] of [
        ["INPUT_REQUESTED", "waiting"],
        [phase("two"), "waiting"],
        ["RUN_FAILED", "failed"],
      ] as const) {
        const { lastSequence } = await land(trial, runId, [draft]);
        const currentPhase = lastSequence > 3 ? "two" : "one";
        for (let since = 0; since <= lastSequence; since++) {
          const hasMore = since + 1 < lastSequence;
          const page = await readPage(trial, runId, `since=${since}&limit=1`);
          assertEqual(
            [page.runStatus, page.currentPhase, page.hasMore],
            [hasMore ? "running" : runStatus, currentPhase, hasMore],
            `the state of the page after ${since} of ${lastSequence}`,
          );
        }
      }
    },
  },
  {
    name: "W16 a loop that stops at a terminal status gets every event, at any limit, while others append",
    async run(trial) {
      for (const [round, limit] of [1, 2, 3, 7, 1_000, 1_000].entries()) {
        const runId = await record(trial, ...notes(2));
        const batches = [notes(5, 2), notes(1, 7), notes(1, 8), notes(2, 9), ["RUN_COMPLETED"]];
        const starts = [0, 0, 2];
        const loops = Promise.all(starts.map((since) => pollToEnd(trial, runId, since, limit)));
        // Looked at below, unless an append fails first.
        loops.catch(() => {});
        for (const [at, batch] of batches.entries()) {
          // The number of requests between two appends decides who is ahead.
          for (let turns = (at + round) % 4; turns > 0; turns--) await getRun(trial, runId);
          await land(trial, runId, batch);
        }
        const log = [...notes(2), ...batches.flat()].map(appendedOf);
        for (const [index, delivery] of (await loops).entries()) {
          assertDelivery(log, starts[index] ?? 0, delivery, `The loop with ${limit} a page`);
        }
      }
    },
  },
];
