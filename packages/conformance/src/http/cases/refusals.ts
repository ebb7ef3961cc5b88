import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import type { HttpTrial, HttpCases } from "../http-trial.ts";
import { RUNS, RUNS_STREAM } from "../paths.ts";
import { BAD_READS } from "./bad-reads.ts";
import { BAD_WRITES } from "./bad-writes.ts";
import type { Refused } from "./refused.ts";

const INVALID = [400, "invalid_request"] as const;

/** Cases of many clauses in `WIRE.md`: requests that are refused, and change nothing. */
export const refusals: HttpCases = {
  ...Object.fromEntries(
    Object.entries({ ...BAD_WRITES, ...BAD_READS }).map(([name, row]) => [
      name,
      (trial: HttpTrial) => refuse(trial, row),
    ]),
  ),
  "W48 the bad parameters of a list or a feed, and those of one without the other, are 400 and named":
    async ({ owner, send }) => {
      const named: string[] = [];
      const runs = `runs=${(await owner.record()).id}:0`;
      for (const [queries, paths] of [
        [
          ["none", "live&feed=live", "live&topic=", "live&last=1"],
          [RUNS, RUNS_STREAM],
        ],
        [["live&status=live", "live&cursor=1", "live&limit=1", "live&wait=31"], [RUNS]],
        [["", "live&runs="], [RUNS_STREAM]],
      ] as const) {
        named.push(...queries.flatMap((query) => paths.map((path) => `${path}?feed=${query}`)));
      }
      named.push(...["have=x", "last=true", "wait=1"].map((query) => `${RUNS}?${query}`));
      const ofFeeds = ["topic=tea", "last=true", "have="];
      named.push(...ofFeeds.map((query) => `${RUNS_STREAM}?${runs}&${query}`));
      for (const path of named) {
        const answer = await send({ path, headers: owner.session });
        // The last parameter is the one that is bad.
        const name = /(\w+)=[^=]*$/.exec(path)?.[1] ?? "";
        assertProblem(answer, 400, "invalid_request");
        const { detail } = answer.json();
        const isNamed = new RegExp(`\\b${name}\\b|entry`).test(String(detail));
        assert(isNamed, `the problem of ${answer.to} names \`${name}\`, got ${String(detail)}`);
      }
    },
};

async function refuse(trial: HttpTrial, { problem = INVALID, isClaimed, bad, calls }: Refused) {
  const { owner, send } = trial;
  const run = await owner.record(...notes(3));
  const at = (await run.times())[1] ?? "";
  const { fence } = isClaimed === true ? await run.claim() : { fence: 1 };
  const before = await run.read();
  const place = { owner, run, fence, at, free: `free-${crypto.randomUUID()}` };
  const [status, code, members] = problem;
  for (const one of bad(place)) {
    for (const call of calls(one, place)) {
      const answer = await send(call);
      assertEqual(answer.status, status, `the status of ${answer.to} with ${one.slice(0, 300)}`);
      assertProblem(answer, status, code, { ...members });
    }
  }
  assertEqual(await run.read(), before, "the run after the refusals");
  assertProblem(await owner.run(place.free).poll(), 404, "not_found");
  const list = (await owner.list({ topic: place.free })).json();
  assertEqual(list["runs"], [], "the runs of a topic after the refusals");
}
