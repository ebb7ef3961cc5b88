import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import type { HttpTrial, HttpCases } from "../http-trial.ts";
import { BAD_READS } from "./bad-reads.ts";
import { BAD_WRITES } from "./bad-writes.ts";
import type { Refused } from "./refused.ts";

const INVALID = [400, "invalid_request"] as const;

/** Cases of many clauses in `WIRE.md`: requests that are refused, and change nothing. */
export const refusals: HttpCases = Object.fromEntries(
  Object.entries({ ...BAD_WRITES, ...BAD_READS }).map(([name, row]) => [
    name,
    (trial: HttpTrial) => refuse(trial, row),
  ]),
);

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
