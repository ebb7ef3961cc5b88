import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { Answer, Call, HeaderList } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { claim, passLeases } from "../claims.ts";
import { changesOn, JSON_TYPE, leaseChangesOn, readsOn, withHeaders } from "../run-calls.ts";
import { getRun, pathOf, record } from "../runs.ts";

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

/** Cases of W4 and W5 in `WIRE.md`: who may ask. */
export const access: readonly HttpTrialCase[] = [
  {
    name: "W4 every request but the live stream takes the bearer token or the session",
    async run(trial) {
      for (const credential of [trial.owner.bearer, trial.owner.session]) {
        const runId = await record(trial);
        for (const call of [...readsOn(runId), ...changesOn(runId)]) {
          const { status, to } = await trial.send(withHeaders(call, credential));
          assert(status === 200 || status === 201, `${to} is answered, got ${status}`);
        }
        await passLeases(trial, await record(trial), credential);
      }
    },
  },
  {
    name: "W4 every request without a valid credential is 401 and changes nothing",
    async run(trial) {
      const runId = await record(trial);
      const calls = [
        ...readsOn(runId),
        ...changesOn(runId),
        ...leaseChangesOn(runId, 1),
        { path: pathOf(runId, "/stream") },
        { path: "/v1/agent-runs" },
      ];
      for (const credential of [{}, { authorization: "Bearer unknown" }, { cookie: "a=b" }]) {
        for (const call of calls) {
          const answer = await trial.send(withHeaders(call, credential));
          assertProblem(answer, 401, "unauthenticated");
          assert(answer.headers.has("www-authenticate"), `${answer.to} has WWW-Authenticate`);
        }
      }
      assertEqual((await getRun(trial, runId))["lastSequence"], 0, "lastSequence");
      await claim(trial, runId);
    },
  },
  {
    name: "W4 another owner's run and a run that does not exist get the same 404, byte for byte",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const ended = await record(trial, "RUN_COMPLETED");
      const claimed = await record(trial);
      const { fence } = await claim(trial, claimed);
      const callsOn = (id: string): readonly Call[] => [
        ...readsOn(id),
        ...changesOn(id),
        ...changesOn(id).map((call) => withHeaders(call, { "run-fence": String(fence) })),
        ...leaseChangesOn(id, fence),
        ...leaseChangesOn(id, fence + 1),
        { path: pathOf(id, "/events?since=7&wait=1") },
        { method: "DELETE", path: pathOf(id) },
      ];
      const { bearer, session } = trial.stranger;
      for (const credential of [bearer, session]) {
        for (const [at, call] of callsOn("nobodys").entries()) {
          const expected = await trial.send(withHeaders(call, credential));
          assertProblem(expected, 404, "not_found");
          for (const id of [runId, ended, claimed]) {
            const stranger = callsOn(id)[at] ?? call;
            const answer = await trial.send(withHeaders(stranger, credential));
            assertEqual(shapeOf(answer), shapeOf(expected), `the answer to ${answer.to}`);
          }
        }
      }
      assertEqual((await getRun(trial, runId))["lastSequence"], 1, "lastSequence");
      assertEqual((await getRun(trial, ended))["runStatus"], "completed", "the finished run");
      await claim(trial, runId);
    },
  },
  {
    name: "W4 the streams of another owner's run and of a run that does not exist get the same 404",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      for (const headers of [{}, { "last-event-id": "9" }]) {
        const asked = { ...trial.stranger.session, ...headers };
        const expected = await trial.send({ path: pathOf("nobodys", "/stream"), headers: asked });
        assertProblem(expected, 404, "not_found");
        const answer = await trial.send({ path: pathOf(runId, "/stream"), headers: asked });
        assertEqual(shapeOf(answer), shapeOf(expected), `the answer to ${answer.to}`);
      }
    },
  },
  {
    name: "W5 a change by cookie from another origin is 403 and changes nothing",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const ended = await record(trial, "RUN_FAILED");
      const calls = [
        ...changesOn(runId),
        ...leaseChangesOn(runId, 1),
        { method: "POST", path: "/v1/agent-runs", headers: JSON_TYPE, body: "{}" },
        { method: "DELETE", path: pathOf(ended) },
      ];
      for (const headers of foreignOrigins(trial)) {
        for (const call of calls) {
          const answer = await trial.send(
            withHeaders(call, { ...trial.owner.session, ...headers }),
          );
          assertEqual(
            answer.status,
            403,
            `the status of ${answer.to} with ${JSON.stringify(headers)}`,
          );
          assertProblem(answer, 403, "cross_site_request");
        }
      }
      assertEqual((await getRun(trial, runId))["lastSequence"], 1, "lastSequence");
      assertEqual((await getRun(trial, ended))["runStatus"], "failed", "the finished run");
      await claim(trial, runId);
    },
  },
];
