import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { Answer, Call, HeaderList } from "../call.ts";
import { notes } from "../draft.ts";
import type { HttpTrial, HttpCases } from "../http-trial.ts";
import { changesOn, leaseChangesOn, readsOn, withHeaders } from "../run-calls.ts";
import { fenced, type WireRun } from "../wire-run.ts";
import { JSON_TYPE, RUNS } from "../paths.ts";

/** Headers of the connection and the moment, not of the answer. */
const HOP = ["date", "connection", "keep-alive", "transfer-encoding", "age"];

/** The part of an answer that does not depend on the caller or the time. */
function shapeOf({ status, headers, text }: Answer): unknown {
  return { status, text, headers: [...headers].filter(([name]) => !HOP.includes(name)) };
}

/** The headers by which a browser shows where a request comes from. */
function foreignOrigins({ baseUrl }: HttpTrial): readonly HeaderList[] {
  const { protocol, host, hostname } = new URL(baseUrl);
  return [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `${protocol}//${hostname}:1` },
    { origin: `${protocol}//sub.${host}` },
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example", "sec-fetch-site": "none" },
  ];
}

/** Makes calls that have to be refused in the same way, each with these headers, and leave the run unclaimed, with its one event. */
async function refuseAll(
  { owner, send }: HttpTrial,
  callsOn: (run: WireRun) => readonly Call[],
  headers: readonly HeaderList[],
  problem: readonly [status: number, code: string],
): Promise<void> {
  const run = await owner.record("NOTE");
  for (const one of headers) {
    for (const call of callsOn(run)) {
      const answer = await send(withHeaders(call, one));
      assertProblem(answer, ...problem);
    }
  }
  await run.assertLength(1);
  await run.claim();
}

/** Cases of W4 and W5 in `WIRE.md`: who may ask. */
export const access: HttpCases = {
  "W4 every request but the live stream takes the bearer token or the session": async ({
    owner,
    send,
  }) => {
    for (const credential of [owner.bearer, owner.session]) {
      const [run, claimed] = [await owner.record(), await owner.record()];
      const { fence } = await claimed.claim();
      const calls = [...readsOn(run), ...changesOn(run), ...leaseChangesOn(claimed, fence)];
      for (const call of calls) {
        const { status, to } = await send(withHeaders(call, credential));
        assert(status < 300, `${to} is answered, got ${status}`);
      }
    }
  },
  "W4 every request without a valid credential is 401 and changes nothing": async (trial) => {
    const callsOn = (run: WireRun): readonly Call[] => [
      ...readsOn(run),
      ...changesOn(run),
      ...leaseChangesOn(run, 1),
      { path: run.at("/stream") },
      { path: RUNS },
    ];
    const credentials = [{}, { authorization: "Bearer unknown" }, { cookie: "a=b" }];
    await refuseAll(trial, callsOn, credentials, [401, "unauthenticated"]);
  },
  "W4 another owner's run and a run that does not exist get the same 404, byte for byte": async ({
    owner,
    stranger,
    send,
  }) => {
    const run = await owner.record(...notes(3));
    const ended = await owner.record("RUN_COMPLETED");
    const claimed = await owner.record();
    const { fence } = await claimed.claim();
    const at = (await run.times())[1] ?? "";
    const callsOn = (one: WireRun): readonly Call[] => [
      ...readsOn(one),
      ...changesOn(one),
      ...changesOn(one).map((call) => withHeaders(call, fenced(fence))),
      ...leaseChangesOn(one, fence),
      ...leaseChangesOn(one, fence + 1),
      ...["/events", "/stream"].flatMap((leaf) =>
        ["since=7", "since=7&wait=1", "tail=2", `since=2&at=${at}`, `since=1&at=${at}`].map(
          (query) => ({ path: one.at(leaf, query) }),
        ),
      ),
      { path: one.at("/stream"), headers: { "last-event-id": "9" } },
      { method: "DELETE", path: one.at() },
    ];
    for (const credential of [stranger.session, { ...stranger.session, ...stranger.bearer }]) {
      for (const [index, call] of callsOn(stranger.run("nobodys")).entries()) {
        const expected = await send(withHeaders(call, credential));
        assertProblem(expected, 404, "not_found");
        for (const one of [run, ended, claimed]) {
          const other = callsOn(one)[index] ?? call;
          const answer = await send(withHeaders(other, credential));
          assertEqual(shapeOf(answer), shapeOf(expected), `the answer to ${answer.to}`);
        }
      }
    }
    await run.assertLength(3);
    assertEqual((await ended.read())["runStatus"], "completed", "the finished run");
    await run.claim();
  },
  "W5 a change by cookie from another origin is 403 and changes nothing": async (trial) => {
    const ended = await trial.owner.record("RUN_FAILED");
    const callsOn = (run: WireRun): readonly Call[] => [
      ...changesOn(run),
      ...leaseChangesOn(run, 1),
      { method: "POST", path: RUNS, headers: JSON_TYPE, body: "{}" },
      { method: "DELETE", path: ended.at() },
    ];
    const foreign = foreignOrigins(trial).map((one) => ({ ...trial.owner.session, ...one }));
    await refuseAll(trial, callsOn, foreign, [403, "cross_site_request"]);
    assertEqual((await ended.read())["runStatus"], "failed", "the finished run");
  },
};
