import { assert, assertEqual } from "../../assert.ts";
import { assertNoStore, assertProblem } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { judgeDelivery } from "../judge-delivery.ts";
import { pollToEnd } from "../poll-to-end.ts";
import { appendedOf, notes, phase } from "../draft.ts";
import { appendCall, land, pageOf, poll, readPage, record, sequencesOf } from "../runs.ts";

const FAR = "9".repeat(40);

/** W15, W16: pages. */
export const pages: readonly HttpTrialCase[] = [
  {
    name: "W15 a page holds the events after since, at any limit, and says where the log ends",
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
    name: "W15 since is 0 and limit is 500 unless told otherwise",
    async run(trial) {
      const runId = await record(trial, ...Array<string>(501).fill("NOTE"));
      const page = await readPage(trial, runId);
      assertEqual([page.events.length, page.hasMore], [500, true], "the first page");
      assertEqual(page.events[0]?.sequence, 1, "its first sequence");
    },
  },
  {
    name: "W15 a cursor that is no plain non-negative integer, or is given twice, is invalid_cursor",
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
    name: "W15 past the end is cursor_ahead, however far; one past a finished run is its end",
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
    name: "W15 a page ends at 4 MiB but holds one event if there is one",
    async run(trial) {
      const runId = await record(trial);
      const big = { eventType: "BIG", payload: `"${"x".repeat(200_000)}"` };
      for (let at = 0; at < 2; at++) await land(trial, runId, Array(12).fill(big));
      const page = await readPage(trial, runId);
      const { length } = page.answer.text;
      assert(length <= 4_300_000, `a page ends at 4 MiB, got ${length} bytes`);
      assert(page.events.length > 0 && page.hasMore, "it holds an event and says that more follow");
    },
  },
  {
    name: "W16 a page that does not reach the end says status and phase as of its last event",
    async run(trial) {
      const runId = await record(trial, "A", phase("one"), "B", phase("two"), "RUN_FAILED");
      const expected = [
        ["running", null, true],
        ["running", "one", true],
        ["running", "one", true],
        ["running", "two", true],
        ["failed", "two", false],
      ];
      for (const [since, state] of expected.entries()) {
        const page = await readPage(trial, runId, `since=${since}&limit=1`);
        const { runStatus, currentPhase, hasMore } = page;
        assertEqual(
          [runStatus, currentPhase, hasMore],
          state,
          `the state of the page after ${since}`,
        );
      }
    },
  },
  {
    name: "W16 a loop that stops at a terminal status has every event, at any limit, whoever appends",
    async run(trial) {
      for (const limit of [1, 2, 3, 7]) {
        const runId = await record(trial, ...notes(2));
        const batches = [notes(5, 2), notes(1, 7), [...notes(2, 8), "RUN_COMPLETED"]];
        const starts = [0, 0, 2];
        const loops = Promise.all(starts.map((since) => pollToEnd(trial, runId, since, limit)));
        // Looked at below, unless an append fails first.
        loops.catch(() => {});
        for (const batch of batches) await land(trial, runId, batch);
        const log = [...notes(2), ...batches.flat()].map(appendedOf);
        for (const [index, delivery] of (await loops).entries()) {
          const wrong = judgeDelivery(log, starts[index] ?? 0, delivery);
          if (wrong !== null) throw new Error(`Pages of ${limit}: ${wrong}`);
        }
      }
    },
  },
];

/** W17, W18: waiting, and not asking twice. */
export const waiting: readonly HttpTrialCase[] = [
  {
    name: "W17 a poll that waits is held until there is something newer",
    async run(trial) {
      for (const drafts of [["NOTE"], ["RUN_COMPLETED"]]) {
        const runId = await record(trial, "FIRST");
        const held = poll(trial, runId, "since=1&wait=10");
        // Looked at below, unless what follows fails first.
        held.catch(() => {});
        // A server that does not hold the poll has answered it by now.
        for (let asked = 0; asked < 5; asked++) await readPage(trial, runId);
        await land(trial, runId, drafts);
        assertEqual(sequencesOf(pageOf(await held)), [2], "the page that was waited for");
      }
    },
  },
  {
    name: "W17 with nothing newer the answer comes when the time is up",
    async run(trial) {
      const page = await readPage(trial, await record(trial, "NOTE"), "since=1&wait=0.1");
      assertEqual([page.events, page.runStatus], [[], "running"], "the page");
    },
  },
  {
    name: "W17 with something newer, or on a finished run, nothing is held",
    async run(trial) {
      const live = await readPage(trial, await record(trial, "NOTE"), "wait=30");
      assertEqual(sequencesOf(live), [1], "the page");
      const ended = await record(trial, "RUN_COMPLETED");
      for (const since of [1, 2]) {
        const page = await readPage(trial, ended, `since=${since}&wait=30`);
        assertEqual([page.events, page.runStatus], [[], "completed"], "the page at the end");
      }
    },
  },
  {
    name: "W18 a page has an ETag and is not to be kept; the same page again is 304",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const first = await poll(trial, runId, "since=1&limit=1");
      assertNoStore(first);
      const etag = first.headers.get("etag") ?? "";
      assert(/^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag), `the page has an ETag, got ${etag}`);
      for (const match of [etag, `"other", ${etag}`, "*"]) {
        const again = await poll(trial, runId, "since=1&limit=1", { "if-none-match": match });
        assertEqual([again.status, again.text], [304, ""], `the answer to If-None-Match: ${match}`);
        assertEqual(again.headers.get("etag"), etag, "the ETag of the 304");
      }
      const other = await poll(trial, runId, "since=1&limit=1", { "if-none-match": '"other"' });
      assertEqual(other.status, 200, "the status with another tag");
    },
  },
  {
    name: "W18 whatever changes in a page changes its ETag",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const tags = new Map<string | null, string>();
      async function look(query: string): Promise<void> {
        const { headers, text } = await poll(trial, runId, query);
        const etag = headers.get("etag");
        const known = tags.get(etag) ?? text;
        assertEqual(text, known, `the page with the ETag ${etag}`);
        tags.set(etag, text);
      }
      for (const query of ["", "since=1", "since=3", "limit=1", "limit=2"]) await look(query);
      await land(trial, runId, notes(1));
      for (const query of ["", "limit=1", "since=3"]) await look(query);
      await land(trial, runId, ["RUN_FAILED"]);
      for (const query of ["", "limit=1", "since=4", "since=5"]) await look(query);
    },
  },
  {
    name: "W18 a page that is waited for is never 304",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const match = (await poll(trial, runId, "since=1")).headers.get("etag") ?? "";
      const headers = { "if-none-match": match };
      assertEqual((await poll(trial, runId, "since=1", headers)).status, 304, "the status");
      const waited = await poll(trial, runId, "since=1&wait=0.05", headers);
      assertEqual(waited.status, 200, "the status with wait");
    },
  },
  {
    name: "W18 every answer about runs is private, no-store",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      for (const path of ["/v1/agent-runs", `/v1/agent-runs/${runId}`]) {
        assertNoStore(await trial.send({ path, headers: trial.owner.bearer }));
      }
      assertNoStore(await trial.send(appendCall(trial, runId, ["NOTE"])));
    },
  },
];
