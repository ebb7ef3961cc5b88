import { assert, assertEqual } from "../../assert.ts";
import { assertNoStore } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { notes } from "../draft.ts";
import { appendCall, land, pageOf, poll, readPage, record, sequencesOf } from "../runs.ts";

/** Cases of W17 and W18 in `WIRE.md`: waiting, and not asking twice. */
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
    name: "W17 a poll that finds nothing newer is answered when its time is up",
    async run(trial) {
      const page = await readPage(trial, await record(trial, "NOTE"), "since=1&wait=0.1");
      assertEqual([page.events, page.runStatus], [[], "running"], "the page");
    },
  },
  {
    name: "W17 a poll that finds something newer, or a finished run, is answered at once",
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
    name: "W18 a page has an ETag and no-store; the same page again is 304",
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
    name: "W18 every change of a page changes its ETag",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const tags = new Map<string | null, string>();
      async function checkTag(query: string): Promise<void> {
        const { headers, text } = await poll(trial, runId, query);
        const etag = headers.get("etag");
        const known = tags.get(etag) ?? text;
        assertEqual(text, known, `the page with the ETag ${etag}`);
        tags.set(etag, text);
      }
      for (const query of ["", "since=1", "since=3", "limit=1", "limit=2"]) await checkTag(query);
      await land(trial, runId, notes(1));
      for (const query of ["", "limit=1", "since=3"]) await checkTag(query);
      await land(trial, runId, ["RUN_FAILED"]);
      for (const query of ["", "limit=1", "since=4", "since=5"]) await checkTag(query);
    },
  },
  {
    name: "W18 a page of a poll that waits is never 304",
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
