import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { getRun, land, pathOf, post, record } from "../runs.ts";

function list(trial: HttpTrial, query: string): Promise<Answer> {
  return trial.send({ path: `/v1/agent-runs?${query}`, headers: trial.owner.bearer });
}

function idsIn(answer: Answer): readonly string[] {
  assertStatus(answer, 200);
  const runs = answer.json()["runs"] as readonly { readonly runId: string }[];
  return runs.map(({ runId }) => runId);
}

/** Cases of W14 in `WIRE.md`: the list, and deleting. */
export const listing: readonly HttpTrialCase[] = [
  {
    name: "W14 the list is the caller's runs, newest first, page by page",
    async run(trial) {
      const made: string[] = [];
      for (let at = 0; at < 5; at++) made.push(await record(trial));
      for (const limit of [1, 2, 5]) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
          const answer = await list(trial, `limit=${limit}${query}`);
          const ids = idsIn(answer);
          assert(ids.length <= limit, `a page has at most ${limit} runs, got ${ids.length}`);
          seen.push(...ids);
          cursor = answer.json()["nextCursor"] as string | null;
        } while (cursor !== null && !made.every((runId) => seen.includes(runId)));
        const own = seen.filter((runId) => made.includes(runId));
        assertEqual(own, made.toReversed(), `the new runs in pages of ${limit}`);
      }
      const { bearer } = trial.stranger;
      const others = idsIn(await trial.send({ path: "/v1/agent-runs?limit=200", headers: bearer }));
      assertEqual(
        others.filter((runId) => made.includes(runId)),
        [],
        "the new runs in the stranger's list",
      );
    },
  },
  {
    name: "W14 a page of the list ends at 4 MiB of metadata, and the next one goes on there",
    async run(trial) {
      const made: string[] = [];
      const body = JSON.stringify({ metadata: "x".repeat(250_000) });
      for (let at = 0; at < 18; at++) {
        const answer = await trial.send(post(trial, "/v1/agent-runs", body));
        assertStatus(answer, 201);
        made.push(String(answer.json()["runId"]));
      }
      const first = await list(trial, "limit=18");
      const { length } = new TextEncoder().encode(first.text);
      assert(length <= 4_300_000, `a page of the list ends at 4 MiB, got ${length} bytes`);
      const cursor = encodeURIComponent(String(first.json()["nextCursor"]));
      const ids = idsIn(first);
      const second = idsIn(await list(trial, `limit=${18 - ids.length}&cursor=${cursor}`));
      assertEqual([...ids, ...second], made.toReversed(), "the runs of both pages");
    },
  },
  {
    name: "W14 a list with a bad parameter is 400",
    async run(trial) {
      for (const query of [
        "limit=0",
        "limit=201",
        "limit=1.5",
        "limit=",
        "limit=1&limit=1",
        "status=done",
        "cursor=",
        "cursor=%2F",
      ]) {
        assertProblem(await list(trial, query), 400, "invalid_request");
      }
    },
  },
  {
    name: "W14 deleting a live run is refused, and deleting a finished one removes it",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const remove = { method: "DELETE", path: pathOf(runId), headers: trial.owner.bearer };
      assertProblem(await trial.send(remove), 409, "run_active");
      assertEqual((await getRun(trial, runId))["lastSequence"], 1, "lastSequence");
      await land(trial, runId, ["RUN_FAILED"]);
      const removed = await trial.send(remove);
      assertStatus(removed, 204);
      assertEqual(removed.text, "", "the body");
      for (const call of [remove, { ...remove, method: "GET" }]) {
        assertProblem(await trial.send(call), 404, "not_found");
      }
      assert(!idsIn(await list(trial, "limit=200")).includes(runId), "the list has lost it too");
    },
  },
];
