import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { Answer, Call } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { askFor, claim } from "../claims.ts";
import { appendCall, pathOf, poll, record } from "../runs.ts";

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly members?: Readonly<Record<string, unknown>>;
  reach(trial: HttpTrial): Promise<Answer>;
}

const BIG = { eventType: "BIG", payload: `"${"x".repeat(262_143)}"` };

/** A request for each code that can be had from outside. */
const REFUSALS: readonly Refusal[] = [
  {
    status: 401,
    code: "unauthenticated",
    reach: (trial) => trial.send({ path: "/v1/agent-runs" }),
  },
  {
    status: 401,
    code: "session_required",
    reach: async (trial) =>
      trial.send({ path: pathOf(await record(trial), "/stream"), headers: trial.owner.bearer }),
  },
  {
    status: 403,
    code: "cross_site_request",
    reach: (trial) => {
      const headers = { ...trial.owner.session, "sec-fetch-site": "cross-site" };
      return trial.send({ method: "POST", path: "/v1/agent-runs", headers });
    },
  },
  {
    status: 404,
    code: "not_found",
    reach: (trial) => trial.send({ path: pathOf("none"), headers: trial.owner.bearer }),
  },
  {
    status: 400,
    code: "invalid_request",
    reach: (trial) => trial.send({ path: "/v1/agent-runs?limit=0", headers: trial.owner.bearer }),
  },
  {
    status: 400,
    code: "invalid_cursor",
    reach: async (trial) => poll(trial, await record(trial), "since=x"),
  },
  {
    status: 409,
    code: "cursor_ahead",
    members: { lastSequence: 1 },
    reach: async (trial) => poll(trial, await record(trial, "NOTE"), "since=2"),
  },
  {
    status: 409,
    code: "history_changed",
    members: { lastSequence: 1 },
    reach: async (trial) =>
      poll(trial, await record(trial, "NOTE"), "since=1&at=2020-01-01T00:00:00.000Z"),
  },
  {
    status: 409,
    code: "run_finished",
    members: { runStatus: "failed", lastSequence: 2 },
    reach: async (trial) =>
      trial.send(appendCall(trial, await record(trial, "NOTE", "RUN_FAILED"), ["NOTE"])),
  },
  {
    status: 409,
    code: "run_active",
    reach: async (trial) => {
      const path = pathOf(await record(trial));
      return trial.send({ method: "DELETE", path, headers: trial.owner.bearer });
    },
  },
  {
    status: 409,
    code: "claimed",
    reach: async (trial) => {
      const runId = await record(trial);
      await claim(trial, runId);
      return askFor(trial, runId);
    },
  },
  {
    status: 409,
    code: "fenced",
    reach: async (trial) => {
      const runId = await record(trial);
      await claim(trial, runId);
      return trial.send(appendCall(trial, runId, ["NOTE"]));
    },
  },
  {
    status: 412,
    code: "sequence_conflict",
    members: { lastSequence: 1 },
    reach: async (trial) => {
      const runId = await record(trial, "NOTE");
      return trial.send(appendCall(trial, runId, ["NOTE"], {}, ',"expectedSequence":0'));
    },
  },
  {
    status: 413,
    code: "payload_too_large",
    reach: async (trial) => trial.send(appendCall(trial, await record(trial), ["NOTE", BIG])),
  },
  {
    status: 422,
    code: "invalid_event",
    members: { index: 1 },
    reach: async (trial) => trial.send(appendCall(trial, await record(trial), ["NOTE", "no"])),
  },
  {
    status: 422,
    code: "idempotency_key_reused",
    reach: async (trial) => {
      const runId = await record(trial);
      await trial.send(appendCall(trial, runId, ["NOTE"], { "idempotency-key": "k" }));
      return trial.send(appendCall(trial, runId, ["OTHER"], { "idempotency-key": "k" }));
    },
  },
];

async function assertUnknown(trial: HttpTrial, path: string): Promise<void> {
  assertProblem(await trial.send({ path, headers: trial.owner.bearer }), 404, "not_found");
}

/** Cases of W3 in `WIRE.md`: errors. */
export const problems: readonly HttpTrialCase[] = [
  ...REFUSALS.map(({ status, code, members, reach }) => ({
    name: `W3 ${code} is a problem with the status ${status}`,
    async run(trial: HttpTrial) {
      const answer = await reach(trial);
      assertProblem(answer, status, code, members);
      assert(
        status !== 401 || answer.headers.has("www-authenticate"),
        `a 401 has WWW-Authenticate, ${answer.to} has none`,
      );
    },
  })),
  {
    name: "W3 an unknown path is 404",
    async run(trial) {
      const runId = await record(trial);
      for (const path of [
        "/v1",
        "/v2/agent-runs",
        "/v1/agent-run",
        pathOf(runId, "/event"),
        pathOf(runId, "/events/1"),
        pathOf(runId, "/constructor"),
      ]) {
        await assertUnknown(trial, path);
      }
    },
  },
  {
    name: "W3 a method that a path does not have is 405 with Allow",
    async run(trial) {
      const runId = await record(trial);
      const methods: readonly (readonly [string, readonly string[]])[] = [
        ["/v1/agent-runs", ["GET", "HEAD", "POST"]],
        [pathOf(runId), ["DELETE", "GET", "HEAD"]],
        [pathOf(runId, "/events"), ["GET", "HEAD", "POST"]],
        [pathOf(runId, "/stream"), ["GET", "HEAD"]],
        [pathOf(runId, "/input"), ["POST"]],
        [pathOf(runId, "/cancel"), ["POST"]],
        [pathOf(runId, "/claim"), ["DELETE", "POST", "PUT"]],
      ];
      for (const [path, allowed] of methods) {
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
          if (allowed.includes(method)) continue;
          const answer = await trial.send({ method, path, headers: trial.owner.bearer });
          assertEqual(answer.status, 405, `the status of ${answer.to}`);
          const allow = (answer.headers.get("allow") ?? "").split(",").map((name) => name.trim());
          const methods = allow.filter((name) => name !== "OPTIONS").toSorted();
          assertEqual(methods, allowed, `Allow of ${answer.to}`);
        }
      }
    },
  },
  {
    name: "W3 a broken escape in the path is 400, and an escape of a character that no id has is 404",
    async run(trial) {
      for (const id of ["%", "%zz", "%ff", "%C3%28"]) {
        const answer = await trial.send({
          path: pathOf(id, "/events"),
          headers: trial.owner.bearer,
        });
        assertProblem(answer, 400, "invalid_request");
      }
      for (const id of ["a%2Fb", "a%00", "a%20b", "%C3%A9", "a".repeat(129)]) {
        for (const leaf of ["", "/events"]) await assertUnknown(trial, pathOf(id, leaf));
      }
    },
  },
  {
    name: "W3 HEAD is answered with the status and headers of GET",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      for (const path of ["/v1/agent-runs", pathOf(runId), pathOf(runId, "/events")]) {
        const call: Call = { path, headers: trial.owner.bearer };
        const get = await trial.send(call);
        const head = await trial.send({ ...call, method: "HEAD" });
        assertEqual([head.status, head.text], [get.status, ""], `the answer to ${head.to}`);
        for (const name of ["content-type", "cache-control", "etag"]) {
          assertEqual(head.headers.get(name), get.headers.get(name), `${name} of ${head.to}`);
        }
      }
    },
  },
  {
    name: "W3 every answer has nosniff, so that no browser guesses its type",
    async run(trial) {
      const runId = await record(trial, "RUN_COMPLETED");
      const { bearer } = trial.owner;
      const { etag = "" } = Object.fromEntries((await poll(trial, runId)).headers);
      const calls: readonly Call[] = [
        { path: "/v1/agent-runs", headers: bearer },
        { path: "/v1/agent-runs", method: "HEAD", headers: bearer },
        { path: "/v1/agent-runs" },
        { path: "/v1", headers: bearer },
        { path: pathOf(runId), headers: bearer },
        { path: pathOf(runId, "/events"), headers: bearer },
        { path: pathOf(runId, "/events"), headers: { ...bearer, "if-none-match": etag } },
        { path: pathOf(runId, "/stream"), headers: trial.owner.session },
        appendCall(trial, runId, ["NOTE"]),
        { path: pathOf(runId), method: "PATCH", headers: bearer },
        { path: pathOf(runId), method: "DELETE", headers: bearer },
      ];
      for (const call of calls) {
        const { headers, status, to } = await trial.send(call);
        assertEqual(
          headers.get("x-content-type-options"),
          "nosniff",
          `X-Content-Type-Options of the ${status} to ${to}`,
        );
      }
    },
  },
];
