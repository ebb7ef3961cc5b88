import { assert, assertEqual } from "../../assert.ts";
import { assertDelivery } from "../assert-delivery.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HeaderList } from "../call.ts";
import { appendedOf, notes } from "../draft.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import {
  deliveryOf,
  land,
  pageOf,
  type PageText,
  pathOf,
  poll,
  readPage,
  record,
  sequencesOf,
  tailLive,
} from "../runs.ts";

/** The most events before the end at which a reader may begin. */
const MOST = 1_000;

/** Queries that every server refuses. */
const BAD: readonly string[] = [
  "tail=0",
  `tail=${MOST + 1}`,
  "tail=-1",
  "tail=%2B1",
  "tail=01",
  "tail=1.5",
  "tail=1e2",
  "tail=",
  "tail",
  "tail=x",
  "tail=1,2",
  "tail=1&tail=2",
  "tail=2&tail=2",
  "tail=2&since=0",
  "since=1&tail=2",
];

/** Cases of W45 in `WIRE.md`: readers that begin with the last events. */
export const tails: readonly HttpTrialCase[] = [
  {
    name: "W45 a page with tail=N begins N events before the end, at any limit, and says where",
    async run(trial) {
      const runId = await record(trial, ...notes(9));
      for (const count of [1, 2, 8, 9, 10, MOST]) {
        const since = Math.max(0, 9 - count);
        for (const limit of [1, 2, 9, 1_000]) {
          const what = `the page of ${limit} that begins ${count} before the end of 9`;
          const page = await readTail(trial, runId, `tail=${count}&limit=${limit}`);
          assertEqual(page.since, since, `since of ${what}`);
          const length = Math.min(limit, 9 - since);
          const owed = Array.from({ length }, (_, at) => since + 1 + at);
          assertEqual(sequencesOf(page), owed, what);
          const other = await readPage(trial, runId, `since=${since}&limit=${limit}`);
          assertEqual(stateOf(page), stateOf(other), `${what}, and the page after ${since}`);
        }
      }
    },
  },
  {
    name: "W45 a page may begin 1,000 events before the end; its limit is 500 by default, as ever",
    async run(trial) {
      const runId = await record(trial, ...Array<string>(MOST).fill("NOTE"));
      await land(trial, runId, ["NOTE"]);
      const page = await readTail(trial, runId, `tail=${MOST}`);
      const found = [page.since, page.events[0]?.sequence, page.events.length, page.hasMore];
      assertEqual(found, [1, 2, 500, true], "since, first sequence, length and hasMore");
    },
  },
  {
    name: "W45 a poll with tail is held only while the run is live and has no events",
    async run(trial) {
      const runId = await record(trial);
      const held = poll(trial, runId, "tail=2&wait=10");
      // Looked at below, unless what follows fails first.
      held.catch(() => {});
      // A server that does not hold the poll has answered it by now.
      for (let asked = 0; asked < 5; asked++) await readPage(trial, runId);
      await land(trial, runId, ["NOTE"]);
      const answer = await held;
      assertEqual(sequencesOf(pageOf(answer)), [1], "the page that was waited for");
      assertEqual(answer.json()["since"], 0, "its since");
      const live = await readTail(trial, runId, "tail=1&wait=30");
      assertEqual([live.since, sequencesOf(live)], [0, [1]], "the page of a live run");
      await land(trial, runId, ["RUN_COMPLETED"]);
      const ended = await readTail(trial, runId, "tail=1&wait=30");
      assertEqual([ended.since, sequencesOf(ended)], [1, [2]], "the page of a finished run");
    },
  },
  {
    name: "W45 a page with tail has an ETag: it is 304 until the next event",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const etag = (await poll(trial, runId, "tail=2")).headers.get("etag") ?? "";
      const headers = { "if-none-match": etag };
      const again = await poll(trial, runId, "tail=2", headers);
      assertEqual([again.status, again.text], [304, ""], "the same page again");
      await land(trial, runId, ["NOTE"]);
      const moved = await poll(trial, runId, "tail=2", headers);
      assertEqual(sequencesOf(pageOf(moved)), [3, 4], "the page after one more event");
    },
  },
  {
    name: "W45 a stream with tail=N begins N events before the end, says where, and goes on to the end",
    async run(trial) {
      for (const count of [1, 2, 5, 6, MOST]) {
        const runId = await record(trial, ...notes(5));
        const since = Math.max(0, 5 - count);
        const stream = await tailLive(trial, runId, `tail=${count}`);
        const { message, id } = await stream.next();
        const where = `since and id of the stream that begins ${count} before the end of 5`;
        assertEqual([message["since"], id], [since, String(since)], where);
        await land(trial, runId, ["NOTE", "RUN_COMPLETED"]);
        const log = [...notes(5), "NOTE", "RUN_COMPLETED"].map(appendedOf);
        const who = `The stream that begins ${count} before the end`;
        assertDelivery(log, since, deliveryOf(await stream.rest()), who);
      }
    },
  },
  {
    name: "W45 a valid Last-Event-ID wins over tail, even when it is smaller; a malformed one does not",
    async run(trial) {
      const runId = await record(trial, ...notes(9));
      for (const [header, cursor] of [
        [null, 6],
        ["8", 8],
        ["6", 6],
        ["2", 2],
        ["0", 0],
        ["x", 6],
        ["", 6],
        ["-1", 6],
        ["01", 6],
        ["3, 4", 6],
      ] as const) {
        const headers: HeaderList = header === null ? {} : { "last-event-id": header };
        const stream = await tailLive(trial, runId, "tail=3", headers);
        const [connected, first] = [await stream.next(), await stream.next()];
        stream.leave();
        const sequence = (first.message["event"] as { readonly sequence?: unknown })?.sequence;
        assertEqual(
          [connected.message["since"], connected.id, sequence],
          [cursor, String(cursor), cursor + 1],
          `since, id and first event with Last-Event-ID ${header}`,
        );
      }
    },
  },
  {
    name: "W45 a tail that is not a plain integer from 1 to 1,000, is given twice, or with since, is 400",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const { session } = trial.owner;
      for (const query of BAD) {
        assertProblem(await poll(trial, runId, query), 400, "invalid_request");
        const path = pathOf(runId, `/stream?${query}`);
        for (const headers of [session, { ...session, "last-event-id": "2" }]) {
          assertProblem(await trial.send({ path, headers }), 400, "invalid_request");
        }
        const { status } = await trial.send({ method: "HEAD", path, headers: session });
        assertEqual(status, 400, `the status of HEAD ${path}`);
      }
    },
  },
  {
    name: "W45 HEAD of a stream takes tail, and gets the headers alone",
    async run(trial) {
      const path = pathOf(await record(trial, ...notes(3)), "/stream?tail=2");
      const head = await trial.send({ method: "HEAD", path, headers: trial.owner.session });
      assertEqual([head.status, head.text], [200, ""], "the answer to HEAD");
      const type = head.headers.get("content-type") ?? "";
      assert(type.startsWith("text/event-stream"), `HEAD shows a stream, got ${type}`);
    },
  },
  {
    name: "W45 with tail, another user's run and a run that does not exist get the same 404",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const headers = { ...trial.stranger.bearer, ...trial.stranger.session };
      for (const leaf of ["/events?tail=2", "/events?tail=2&wait=5", "/stream?tail=2"]) {
        const texts: string[] = [];
        for (const id of [runId, "nobodys"]) {
          const answer = await trial.send({ path: pathOf(id, leaf), headers });
          assertProblem(answer, 404, "not_found");
          texts.push(answer.text);
        }
        assertEqual(texts[0], texts[1], `the problem of ${leaf}`);
      }
    },
  },
];

/** A page that was asked for by `tail`, with the cursor after which it says that it begins. */
async function readTail(
  trial: HttpTrial,
  runId: string,
  query: string,
): Promise<PageText & { readonly since: unknown }> {
  const page = await readPage(trial, runId, query);
  return { ...page, since: page.answer.json()["since"] };
}

/** The part of a page that does not depend on how it was asked for. */
function stateOf({ events, runStatus, currentPhase, lastSequence, hasMore }: PageText): object {
  return { events, runStatus, currentPhase, lastSequence, hasMore };
}
