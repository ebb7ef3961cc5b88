import { assert, assertEqual } from "../../assert.ts";
import { assertNoStore, assertProblem } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import { appendedOf, type Draft, notes, phase } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import { assertDelivery } from "../judge-delivery.ts";
import { pollToEnd } from "../readers.ts";
import { pageOf } from "../wire-run.ts";
import { RUNS } from "../paths.ts";

/** A cursor of a length that no number has. */
export const FAR: string = "9".repeat(40);
/** Differences that make a time that of another event, in milliseconds. */
const OFF = [-86_400_000, -1_000, -1, 1, 1_000];

/** A time that is this many milliseconds later. */
export function moved(time: string | undefined, ms: number): string {
  return new Date(Date.parse(time ?? "") + ms).toISOString();
}

function upTo(since: number, length: number): readonly number[] {
  return Array.from({ length }, (_, at) => since + 1 + at);
}

function assertChanged(answer: Answer, lastSequence: number): void {
  assertProblem(answer, 409, "history_changed", { lastSequence });
}

/** Cases of W15 to W18, W45 and W46 in `WIRE.md`: pages. */
export const pages: HttpCases = {
  "W15 a page holds the events after since, at any limit, and shows where the log ends": async ({
    owner,
  }) => {
    const run = await owner.record(...notes(7));
    for (const since of [0, 1, 3, 6, 7]) {
      for (const limit of [1, 2, 7, 1_000]) {
        const page = await run.page({ since, limit });
        const length = Math.min(limit, 7 - since);
        const what = `the page after ${since} of ${limit}`;
        assertEqual(page.sequences, upTo(since, length), what);
        const { hasMore, lastSequence } = page;
        assertEqual([hasMore, lastSequence], [since + length < 7, 7], `the end in ${what}`);
      }
    }
  },
  "W15 since is 0 and limit is 500 by default, and a page ends at 4 MiB": async ({ owner }) => {
    const run = await owner.record(...Array<string>(501).fill("NOTE"));
    const page = await run.page();
    const found = [page.sequences.length, page.sequences[0], page.hasMore];
    assertEqual(found, [500, 1, true], "the first page");
    const big = { eventType: "BIG", payload: `"${"x".repeat(200_000)}"` };
    const large = await owner.record();
    for (let at = 0; at < 2; at++) await large.land(Array<Draft>(12).fill(big));
    const { text, events, hasMore } = await large.page();
    assert(text.length <= 4_300_000, `a page ends at 4 MiB, got ${text.length} bytes`);
    assert(events.length > 0 && hasMore, "it holds an event and shows that more follow");
  },
  "W15 a cursor past the end is cursor_ahead, however far; one past the end of a finished run is its end":
    async ({ owner }) => {
      const [live, ended] = [await owner.record("NOTE"), await owner.record("NOTE", "RUN_FAILED")];
      for (const [run, since, lastSequence] of [
        [live, "2", 1],
        [live, "9007199254740993", 1],
        [live, FAR, 1],
        [ended, "4", 2],
        [ended, FAR, 2],
      ] as const) {
        assertProblem(await run.poll({ since }), 409, "cursor_ahead", { lastSequence });
      }
      for (const since of [2, 3]) {
        for (const wait of [0, 30]) {
          const { sequences, runStatus, hasMore } = await ended.page({ since, wait });
          assertEqual(
            [sequences, runStatus, hasMore],
            [[], "failed", false],
            "the page at the end",
          );
        }
      }
    },
  "W45 a page with tail=N begins N events before the end, at any limit, and says where; then it is the page after that":
    async ({ owner }) => {
      const run = await owner.record(...notes(9));
      for (const tail of [1, 2, 8, 9, 10, 1_000]) {
        const since = Math.max(0, 9 - tail);
        for (const limit of [1, 2, 9, 1_000]) {
          const { text: _, ...page } = await run.page({ tail, limit });
          const { text: __, ...other } = await run.page({ since, limit });
          const what = `the page of ${limit} that begins ${tail} before the end of 9`;
          assertEqual(page, { ...other, since }, what);
        }
      }
      const many = await owner.record(...Array<string>(1_000).fill("NOTE"));
      await many.land(["NOTE"]);
      const page = await many.page("tail=1000");
      const found = [page.since, page.sequences[0], page.sequences.length, page.hasMore];
      assertEqual(found, [1, 2, 500, true], "the page that begins 1,000 before the end");
    },
  "W46 a page with another time of its event is history_changed, with wait and with an ETag too; so is one past the end":
    async ({ owner }) => {
      const run = await owner.record(...notes(4));
      const times = await run.times();
      for (let since = 1; since <= 4; since++) {
        for (const off of OFF) {
          const query = { since, at: moved(times[since - 1], off) };
          assertChanged(await run.poll(query), 4);
          assertChanged(await run.poll({ ...query, wait: 30 }), 4);
          assertChanged(await run.poll(query, { "if-none-match": "*" }), 4);
        }
      }
      const ended = await owner.record("NOTE", "RUN_COMPLETED");
      const at = (await ended.times())[1] ?? "";
      for (const since of ["3", "4", FAR]) assertChanged(await ended.poll({ since, at }), 2);
    },
  "W16 a page that does not reach the end shows a run that has ended or waits as running, in its current phase":
    async ({ owner }) => {
      const run = await owner.record("A", phase("one"));
      for (const [draft, runStatus] of [
        ["INPUT_REQUESTED", "waiting"],
        [phase("two"), "waiting"],
        ["RUN_FAILED", "failed"],
      ] as const) {
        const { lastSequence } = await run.land([draft]);
        const currentPhase = lastSequence > 3 ? "two" : "one";
        for (let since = 0; since <= lastSequence; since++) {
          const hasMore = since + 1 < lastSequence;
          const page = await run.page({ since, limit: 1 });
          assertEqual(
            [page.runStatus, page.currentPhase, page.hasMore],
            [hasMore ? "running" : runStatus, currentPhase, hasMore],
            `the state of the page after ${since} of ${lastSequence}`,
          );
        }
      }
    },
  "W16 a loop that stops at a terminal status gets every event, at any limit, while others append":
    async ({ owner }) => {
      for (const [round, limit] of [1, 2, 3, 7, 1_000, 1_000].entries()) {
        const run = await owner.record(...notes(2));
        const batches = [notes(5, 2), notes(1, 7), notes(1, 8), notes(2, 9), ["RUN_COMPLETED"]];
        const starts = [0, 0, 2];
        const loops = Promise.all(starts.map((since) => pollToEnd(run, since, limit)));
        // Awaited below, unless an append fails first.
        loops.catch(() => {});
        for (const [at, batch] of batches.entries()) {
          // The number of requests between two appends decides who is ahead.
          for (let turns = (at + round) % 4; turns > 0; turns--) await run.read();
          await run.land(batch);
        }
        const log = [...notes(2), ...batches.flat()].map(appendedOf);
        for (const [index, delivery] of (await loops).entries()) {
          assertDelivery(log, starts[index] ?? 0, delivery, `The loop with ${limit} a page`);
        }
      }
    },
  "W17 a poll that waits is held until there is something newer, from a cursor, with its time, or with tail on a run without events":
    async ({ owner }) => {
      for (const [query, before, next] of [
        ["since=1", 1, "NOTE"],
        ["since=1", 1, "RUN_COMPLETED"],
        ["since=1&at=AT", 1, "NOTE"],
        ["tail=2", 0, "NOTE"],
      ] as const) {
        const run = await owner.record(...notes(before));
        const [at = ""] = await run.times();
        const held = run.poll(`${query.replace("AT", at)}&wait=10`);
        // Awaited below, unless what follows fails first.
        held.catch(() => {});
        // A server that does not hold the poll has answered it by now.
        for (let asked = 0; asked < 5; asked++) await run.page();
        await run.land([next]);
        assertEqual(pageOf(await held).sequences, [before + 1], `the page held for ${query}`);
      }
    },
  "W17 a poll is answered when its time is up, and at once if it finds something newer, or a finished run":
    async ({ owner }) => {
      const run = await owner.record("NOTE");
      const page = await run.page("since=1&wait=0.1");
      assertEqual([page.events, page.runStatus], [[], "running"], "the page");
      for (const query of ["wait=30", "tail=1&wait=30"]) {
        assertEqual((await run.page(query)).sequences, [1], `the page of ${query}`);
      }
      await run.land(["RUN_COMPLETED"]);
      for (const query of ["since=2&wait=30", "since=3&wait=30"]) {
        const { sequences, runStatus } = await run.page(query);
        assertEqual([sequences, runStatus], [[], "completed"], `the page of ${query} at the end`);
      }
    },
  "W18 a page has an ETag and no-store; the same page again is 304, but not with wait": async ({
    owner,
  }) => {
    const run = await owner.record(...notes(3));
    for (const query of ["since=1&limit=1", "tail=2"]) {
      const first = await run.poll(query);
      assertNoStore(first);
      const etag = first.headers.get("etag") ?? "";
      assert(/^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag), `the page has an ETag, got ${etag}`);
      for (const match of [etag, `"other", ${etag}`, "*"]) {
        const again = await run.poll(query, { "if-none-match": match });
        const what = `the answer to If-None-Match: ${match}`;
        assertEqual([again.status, again.text], [304, ""], what);
        assertEqual(again.headers.get("etag"), etag, "the ETag of the 304");
      }
      const waited = await run.poll(`${query}&wait=0.05`, { "if-none-match": etag });
      const other = await run.poll(query, { "if-none-match": '"other"' });
      const statuses = [waited.status, other.status];
      assertEqual(statuses, [200, 200], "the statuses with wait, and with another tag");
    }
    for (const path of [RUNS, run.at()]) assertNoStore(await owner.get(path));
    assertNoStore(await run.append(["NOTE"]));
  },
  "W18 every change of a page changes its ETag": async ({ owner }) => {
    const run = await owner.record(...notes(3));
    const tags = new Map<string | null, string>();
    for (const [next, queries] of [
      [[], ["", "since=1", "since=3", "limit=1", "limit=2"]],
      [notes(1), ["", "limit=1", "since=3"]],
      [["RUN_FAILED"], ["", "limit=1", "since=4", "since=5"]],
    ] as const) {
      if (next.length > 0) await run.land(next);
      for (const query of queries) {
        const { headers, text } = await run.poll(query);
        const etag = headers.get("etag");
        assertEqual(text, tags.get(etag) ?? text, `the page with the ETag ${etag}`);
        tags.set(etag, text);
      }
    }
  },
};
