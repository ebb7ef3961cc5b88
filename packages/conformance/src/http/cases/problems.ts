import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer, Call } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { keyed, type WireRun } from "../wire-run.ts";
import { RUNS, RUNS_STREAM } from "../paths.ts";

const BIG = { eventType: "BIG", payload: `"${"x".repeat(262_143)}"` };
/** The event of the run before a request. */
const FIRST = ["NOTE"];

/** A request to a run with one event, and the problem that is its answer. */
type Refusal = readonly [
  status: number,
  code: string,
  members: Readonly<Record<string, unknown>>,
  ask: (run: WireRun, trial: HttpTrial) => Promise<Answer>,
];

/** A request for each code that can be had from outside. */
const REFUSALS: readonly Refusal[] = [
  [401, "unauthenticated", {}, (_, { send }) => send({ path: RUNS })],
  [401, "session_required", {}, (run, { owner }) => owner.get(run.at("/stream"))],
  [
    403,
    "cross_site_request",
    {},
    (_, { owner, send }) =>
      send({
        method: "POST",
        path: RUNS,
        headers: { ...owner.session, "sec-fetch-site": "cross-site" },
      }),
  ],
  [404, "not_found", {}, (_, { owner }) => owner.get(`${RUNS}/none`)],
  [400, "invalid_request", {}, (_, { owner }) => owner.list({ limit: 0 })],
  [400, "invalid_cursor", {}, (run) => run.poll({ since: "x" })],
  [409, "cursor_ahead", { lastSequence: 1 }, (run) => run.poll({ since: 2 })],
  [
    409,
    "history_changed",
    { lastSequence: 1 },
    (run) => run.poll({ since: 1, at: "2020-01-01T00:00:00.000Z" }),
  ],
  [
    409,
    "run_finished",
    { runStatus: "failed", lastSequence: 2 },
    after(
      (run) => run.land(["RUN_FAILED"]),
      (run) => run.append(FIRST),
    ),
  ],
  [409, "run_active", {}, (run) => run.remove()],
  [
    409,
    "claimed",
    {},
    after(
      (run) => run.claim(),
      (run) => run.ask(),
    ),
  ],
  [
    409,
    "fenced",
    {},
    after(
      (run) => run.claim(),
      (run) => run.append(FIRST),
    ),
  ],
  [
    412,
    "sequence_conflict",
    { lastSequence: 1 },
    (run) => run.append(FIRST, {}, ',"expectedSequence":0'),
  ],
  [413, "payload_too_large", {}, (run) => run.append(["NOTE", BIG])],
  [422, "invalid_event", { index: 1 }, (run) => run.append(["NOTE", "no"])],
  [
    422,
    "idempotency_key_reused",
    {},
    after(
      (run) => run.land(FIRST, keyed("k")),
      (run) => run.append(["OTHER"], keyed("k")),
    ),
  ],
];

/** A request that follows another. */
function after(
  first: (run: WireRun) => Promise<unknown>,
  ask: (run: WireRun) => Promise<Answer>,
): Refusal[3] {
  return async (run) => {
    await first(run);
    return ask(run);
  };
}

/** Cases of W3 in `WIRE.md`: errors. */
export const problems: readonly HttpTrialCase[] = [
  {
    name: "W3 each refusal is a problem with its code, its status and what it says besides",
    async run(trial) {
      for (const [status, code, members, ask] of REFUSALS) {
        const answer = await ask(await trial.owner.record(...FIRST), trial);
        assertProblem(answer, status, code, members);
        const isShown = status !== 401 || answer.headers.has("www-authenticate");
        assert(isShown, `a 401 has WWW-Authenticate, ${answer.to} has none`);
      }
    },
  },
  {
    name: "W3 a method that a path does not have is 405 with Allow",
    async run({ owner, send }) {
      const run = await owner.record();
      for (const [path, allowed] of [
        [RUNS, ["GET", "HEAD", "POST"]],
        [run.at(), ["DELETE", "GET", "HEAD"]],
        [run.at("/events"), ["GET", "HEAD", "POST"]],
        [run.at("/stream"), ["GET", "HEAD"]],
        [run.at("/input"), ["POST"]],
        [run.at("/cancel"), ["POST"]],
        [run.at("/claim"), ["DELETE", "POST", "PUT"]],
      ] as const) {
        const known: readonly string[] = allowed;
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
          if (known.includes(method)) continue;
          const answer = await send(owner.call(method, path));
          assertStatus(answer, 405);
          const allow = (answer.headers.get("allow") ?? "").split(",").map((name) => name.trim());
          const methods = allow.filter((name) => name !== "OPTIONS").toSorted();
          assertEqual(methods, known, `Allow of ${answer.to}`);
        }
      }
    },
  },
  {
    name: "W3 HEAD is answered with the status and headers of GET",
    async run({ owner, send }) {
      const run = await owner.record("NOTE");
      for (const path of [RUNS, run.at(), run.at("/events"), run.at("/events", "tail=2")]) {
        const get = await owner.get(path);
        const head = await send(owner.call("HEAD", path));
        assertEqual([head.status, head.text], [get.status, ""], `the answer to ${head.to}`);
        for (const name of ["content-type", "cache-control", "etag"]) {
          assertEqual(head.headers.get(name), get.headers.get(name), `${name} of ${head.to}`);
        }
      }
    },
  },
  {
    name: "W3 every answer has nosniff, so that no browser guesses its type",
    async run({ owner, send }) {
      const run = await owner.record("RUN_COMPLETED");
      const { headers } = await run.poll();
      const same = { "if-none-match": headers.get("etag") ?? "" };
      const calls: readonly Call[] = [
        ...[RUNS, "/v1", run.at(), run.at("/events")].map((path) => owner.call("GET", path)),
        ...["HEAD", "PATCH", "DELETE"].map((method) => owner.call(method, run.at())),
        { path: RUNS },
        owner.call("GET", run.at("/events"), undefined, same),
        { path: run.at("/stream"), headers: owner.session },
        { path: RUNS_STREAM, headers: owner.session },
        run.appendCall(FIRST),
      ];
      for (const call of calls) {
        const answer = await send(call);
        const option = answer.headers.get("x-content-type-options");
        assertEqual(option, "nosniff", `the option of the ${answer.status} to ${answer.to}`);
      }
    },
  },
];
