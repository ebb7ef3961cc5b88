import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HeaderList } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import { passLeases } from "../claims.ts";
import { changesOn, leaseChangesOn, readsOn, withHeaders } from "../run-calls.ts";
import { getRun, pathOf, record, tailLive } from "../runs.ts";

/** The headers that a client of the wire sends and that not every page may. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-none-match",
  "run-fence",
];

function namesOf(header: string | null): readonly string[] {
  return (header ?? "").split(",").map((name) => name.trim().toLowerCase());
}

/** Fails unless a page of this origin may read the answer, and no cache hands it to another's. */
function assertReadable(headers: Headers, origin: string, what: string): void {
  assertEqual(
    [headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")],
    [origin, "true"],
    `Access-Control-Allow-Origin and -Credentials of ${what}`,
  );
  assert(namesOf(headers.get("vary")).includes("origin"), `${what} has Vary: Origin`);
}

function assertUnreadable(headers: Headers, what: string): void {
  for (const name of ["access-control-allow-origin", "access-control-allow-credentials"]) {
    assertEqual(headers.get(name), null, `${name} of ${what}`);
  }
}

/** Origins that are not on the list, some of which look as if they were. */
function strangersTo(allowed: string): readonly string[] {
  const { protocol, hostname, host } = new URL(allowed);
  return [
    "https://evil.example",
    "null",
    `${allowed}.evil.example`,
    `${protocol}//sub.${host}`,
    `${protocol}//${hostname}:1`,
    `${protocol === "https:" ? "http:" : "https:"}//${host}`,
  ];
}

function preflight(
  trial: HttpTrial,
  path: string,
  origin: string,
  method: string,
): ReturnType<HttpTrial["send"]> {
  const asked = {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": REQUEST_HEADERS.join(","),
  };
  return trial.send({ method: "OPTIONS", path, headers: asked });
}

/** Cases of W5 and W19 in `WIRE.md`: pages of an origin on the list, and of those that are not. */
export function allowedOrigins(allowed: string): readonly HttpTrialCase[] {
  return CASES.map(([name, run]) => ({ name, run: (trial) => run(trial, allowed) }));
}

/** A page of the origin on the list. */
function pageOf(allowed: string): HeaderList {
  return { origin: allowed, "sec-fetch-site": "cross-site" };
}

async function readsAnswers(trial: HttpTrial, allowed: string): Promise<void> {
  const from = pageOf(allowed);
  for (const headers of [from, { origin: allowed }]) {
    const runId = await record(trial);
    for (const call of [...readsOn(runId), ...changesOn(runId)]) {
      const asked = withHeaders(call, { ...trial.owner.session, ...headers });
      const answer = await trial.send(asked);
      assert(answer.status < 300, `${answer.to} passes, got ${answer.status}`);
      assertReadable(answer.headers, allowed, answer.to);
    }
    const asked = { ...trial.owner.session, ...headers };
    for (const answer of await passLeases(trial, await record(trial), asked)) {
      assertReadable(answer.headers, allowed, answer.to);
    }
  }
}

async function readsRefusals(trial: HttpTrial, allowed: string): Promise<void> {
  const from = pageOf(allowed);
  const calls = [
    { path: pathOf("nobodys"), headers: trial.owner.session },
    { path: "/v1/agent-runs" },
    { path: pathOf("nobodys", "/events?since=x"), headers: trial.owner.session },
  ];
  for (const call of calls) {
    const answer = await trial.send(withHeaders(call, from));
    assert(answer.status >= 400, `${answer.to} is refused, got ${answer.status}`);
    assertReadable(answer.headers, allowed, `the refusal of ${answer.to}`);
  }
}

async function refusesStrangers(trial: HttpTrial, allowed: string): Promise<void> {
  const runId = await record(trial, "NOTE");
  for (const origin of strangersTo(allowed)) {
    const headers = { ...trial.owner.session, origin };
    for (const call of [...changesOn(runId), ...leaseChangesOn(runId, 1)]) {
      const answer = await trial.send(withHeaders(call, headers));
      assertProblem(answer, 403, "cross_site_request");
      assertUnreadable(answer.headers, `${answer.to} from ${origin}`);
    }
    for (const call of readsOn(runId)) {
      const answer = await trial.send(withHeaders(call, headers));
      assertUnreadable(answer.headers, `${answer.to} from ${origin}`);
    }
  }
  assertEqual((await getRun(trial, runId))["lastSequence"], 1, "lastSequence");
}

async function answersPreflights(trial: HttpTrial, allowed: string): Promise<void> {
  const runId = await record(trial);
  const paths = [
    ["/v1/agent-runs", "POST"],
    [pathOf(runId), "DELETE"],
    [pathOf(runId, "/events"), "POST"],
    [pathOf(runId, "/input"), "POST"],
    [pathOf(runId, "/cancel"), "POST"],
    [pathOf(runId, "/claim"), "POST"],
    [pathOf(runId, "/claim"), "PUT"],
    [pathOf(runId, "/claim"), "DELETE"],
  ] as const;
  for (const [path, method] of paths) {
    const { status, headers, to } = await preflight(trial, path, allowed, method);
    assert(status >= 200 && status < 300, `${to} is answered without a credential, got ${status}`);
    assertReadable(headers, allowed, to);
    const methods = namesOf(headers.get("access-control-allow-methods"));
    assert(methods.includes(method.toLowerCase()), `${to} allows ${method}`);
    const names = namesOf(headers.get("access-control-allow-headers"));
    for (const name of REQUEST_HEADERS) assert(names.includes(name), `${to} allows ${name}`);
  }
  for (const origin of strangersTo(allowed)) {
    const path = pathOf(runId, "/events");
    const { headers, to } = await preflight(trial, path, origin, "POST");
    assertUnreadable(headers, `${to} from ${origin}`);
  }
}

async function getsStreams(trial: HttpTrial, allowed: string): Promise<void> {
  const from = pageOf(allowed);
  const runId = await record(trial, "RUN_COMPLETED");
  const stream = await tailLive(trial, runId, "", from);
  assertReadable(stream.headers, allowed, "the stream");
  assertEqual(typesOf(await stream.rest()).at(-1), "run_finished", "the last frame");
  const path = pathOf(runId, "/stream");
  const session = trial.owner.session;
  const head = await trial.send({ method: "HEAD", path, headers: { ...session, ...from } });
  assertStatus(head, 200);
  assertReadable(head.headers, allowed, head.to);
  for (const origin of strangersTo(allowed)) {
    const answer = await trial.send({ path, headers: { ...session, origin } });
    assertProblem(answer, 403, "cross_site_request");
    assertUnreadable(answer.headers, `the stream from ${origin}`);
  }
}

const CASES: readonly (readonly [
  name: string,
  run: (trial: HttpTrial, allowed: string) => Promise<void>,
])[] = [
  [
    "W5 a change by cookie from an origin on the list passes, and its page may read the answer",
    readsAnswers,
  ],
  ["W5 a page of an origin on the list may read refusals too", readsRefusals],
  [
    "W5 a change by cookie from an origin that is not on the list is 403, and its page may read nothing",
    refusesStrangers,
  ],
  ["W5 a preflight is allowed for an origin on the list, and for no other", answersPreflights],
  [
    "W19 a page of an origin on the list gets the stream with exact headers; one of another gets 403 without them",
    getsStreams,
  ],
];
