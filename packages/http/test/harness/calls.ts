import { ADA, ADA_SESSION } from "./accounts.ts";
import { type Call, post } from "./answer.ts";
import { nextFenceOf } from "./next-fence.ts";
import type { World } from "./world.ts";

const RUNS = "/v1/agent-runs";
/** The path of one run, as the document writes it. */
export const RUN = "/v1/agent-runs/{runId}";

/** Requests of a run's lease and under it, good and bad. @param fence what the live run's next claim gets */
function leaseCallsOf(
  live: string,
  ended: string,
  fence: number,
): readonly (readonly [string, Call])[] {
  const lasting = { leaseMs: 60_000 };
  const held = { fence, ...lasting };
  const stale = { ...held, fence: fence + 1 };
  const note = { events: [{ eventType: "NOTE" }] };
  const line = '{"eventType":"A"}';
  const lines = { "content-type": "application/x-ndjson" };
  const of = (method: string, run: string, body: object, headers = {}): Call => ({
    ...post(`${run}/claim`, body, headers),
    method,
  });
  const foreign = { authorization: "", ...ADA_SESSION, "sec-fetch-site": "cross-site" };
  const calls = [live, live, ended, "/v1/agent-runs/none"].flatMap((run) => [
    of("POST", run, lasting),
    of("PUT", run, held),
    of("PUT", run, stale),
  ]);
  const appends = [{ "run-fence": String(fence) }, { "run-fence": "x" }, {}].flatMap((under) => [
    post(`${live}/events`, note, under),
    post(`${live}/events`, line, { ...lines, ...under }),
  ]);
  const ends = [
    of("DELETE", live, { fence: fence + 1 }),
    of("DELETE", live, { fence }),
    of("DELETE", live, {}),
    of("DELETE", live, { fence }, foreign),
    of("DELETE", ended, { fence }),
  ];
  return [
    ...calls.map((call) => [`${RUN}/claim`, call] as const),
    ...appends.map((call) => [`${RUN}/events`, call] as const),
    ...ends.map((call) => [`${RUN}/claim`, call] as const),
  ];
}

/** Inputs, good and bad, to the first run and under one key to each of them. */
function inputCallsOf(
  runIds: readonly [string, ...string[]],
): readonly (readonly [string, Call])[] {
  const give = (body: unknown, headers = {}, id: string = runIds[0]): readonly [string, Call] => [
    `${RUN}/input`,
    post(`/v1/agent-runs/${id}/input`, body, headers),
  ];
  const foreign = { authorization: "", ...ADA_SESSION, "sec-fetch-site": "cross-site" };
  return [
    ...runIds.map((id) => give({ payload: 1 }, { "idempotency-key": "k" }, id)),
    give({ payload: 2 }, { "idempotency-key": "i" }),
    give({ payload: 2 }, { "idempotency-key": "i" }),
    give({ expectedSequence: 0 }),
    give({ input: 1 }),
    give({ payload: "x".repeat(262_143) }),
    give({}, foreign),
  ];
}

/** Requests of lists and creations. @param foreign the headers of a page of another site */
function ofAllRuns(
  foreign: Readonly<Record<string, string>>,
): readonly (readonly [string, Call])[] {
  const list = (query: string, headers = ADA): Call => ({ path: `${RUNS}${query}`, headers });
  const create = (body: unknown, headers = {}): Call => post(RUNS, body, headers);
  return [
    list("?limit=1"),
    list("?status=none"),
    list("?topic=tea&status=live"),
    list("?topic="),
    list("?feed=live&last=true"),
    list("?feed=x"),
    list("?feed=live&status=live"),
    list("?have=x"),
    list("", {} as typeof ADA),
    create({ runId: "new", metadata: [1] }),
    create({ runId: "new" }),
    create({ topic: "tea" }),
    create({ topic: "" }),
    create({ runId: "bobs" }),
    create({ metadata: "x".repeat(262_143) }),
    create([]),
    create({}, foreign),
  ].map((call) => [RUNS, call] as const);
}

/** Requests of each route, good and bad, each with its path as the document writes it. @param world one that is `STILL` */
export async function callsOf(world: World): Promise<readonly (readonly [string, Call])[]> {
  const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
  const live = await world.record("NOTE", phase);
  const ended = await world.record("NOTE", "RUN_FAILED");
  const gone = await world.record("RUN_COMPLETED");
  await world.runs.create({ ownerId: "bob", runId: "bobs" });
  const run = (id: string, leaf = ""): string => `/v1/agent-runs/${id}${leaf}`;
  const get = (path: string, headers: object = ADA): Call => ({
    path,
    headers: headers as Record<string, string>,
  });
  const note = { events: [{ eventType: "NOTE" }] };
  const keyed = { "idempotency-key": "k" };
  const lines = { "content-type": "application/x-ndjson" };
  const foreign = { authorization: "", ...ADA_SESSION, "sec-fetch-site": "cross-site" };
  const { etag = "" } = (await world.send(get(run(live, "/events")))).headers;
  return [
    ...ofAllRuns(foreign),
    [RUN, get(run(live))],
    [RUN, get(run(ended))],
    [RUN, get(run("none"))],
    [RUN, get(run("%zz"))],
    [RUN, { ...get(run(live)), method: "DELETE" }],
    [RUN, { ...get(run(gone)), method: "DELETE" }],
    [`${RUN}/events`, get(run(live, "/events"))],
    [`${RUN}/events`, get(run(live, "/events"), { ...ADA, "if-none-match": etag })],
    [`${RUN}/events`, get(run(live, "/events?since=x"))],
    [`${RUN}/events`, get(run(live, "/events?since=9"))],
    [`${RUN}/events`, get(run(live, "/events?since=2&wait=0.01"))],
    [`${RUN}/events`, post(run(live, "/events"), note, keyed)],
    [`${RUN}/events`, post(run(live, "/events"), note, keyed)],
    [`${RUN}/events`, post(run(live, "/events"), { events: [phase] }, keyed)],
    [`${RUN}/events`, post(run(live, "/events"), { ...note, expectedSequence: 0 })],
    [`${RUN}/events`, post(run(live, "/events"), { events: [{ eventType: "no" }] })],
    [`${RUN}/events`, post(run(live, "/events"), '{"eventType":"A"}\n', lines)],
    [`${RUN}/events`, post(run(live, "/events"), '{"eventType":"A"}\nno\n', lines)],
    [`${RUN}/events`, post(run(ended, "/events"), note)],
    [`${RUN}/events`, post(run(live, "/events"), "x".repeat(4_194_305))],
    [`${RUN}/events`, post(run(live, "/events"), note, foreign)],
    ...inputCallsOf([live, live, ended, "none"]),
    [`${RUN}/stream`, get(run(ended, "/stream"), ADA_SESSION)],
    [`${RUN}/stream`, get(run(ended, "/stream"), { ...ADA_SESSION, "last-event-id": "3" })],
    [`${RUN}/stream`, get(run(ended, "/stream"))],
    [`${RUN}/stream`, get(run(ended, "/stream?since=x"), ADA_SESSION)],
    [`${RUN}/stream`, get(run("none", "/stream"), ADA_SESSION)],
    [`${RUN}/stream`, get(run(live, "/stream"), foreign)],
    [`${RUN}/stream`, { ...get(run(live, "/stream"), ADA_SESSION), method: "HEAD" }],
    [`${RUN}/stream`, { ...get(run(live, "/stream"), ADA), method: "HEAD" }],
    ["/v1/agent-runs/stream", get(run(`stream?runs=${ended}:0,none:0`), ADA_SESSION)],
    ["/v1/agent-runs/stream", get(run(`stream?runs=${ended}:0`))],
    ["/v1/agent-runs/stream", get(run("stream?runs="), ADA_SESSION)],
    ["/v1/agent-runs/stream", get(run(`stream?runs=${live}:0`), foreign)],
    [
      "/v1/agent-runs/stream",
      { ...get(run(`stream?runs=${live}:-1`), ADA_SESSION), method: "HEAD" },
    ],
    ...leaseCallsOf(run(live), run(ended), await nextFenceOf(world, live)),
    [`${RUN}/cancel`, { ...get(run(live, "/cancel")), method: "POST" }],
    [`${RUN}/cancel`, { ...get(run("none", "/cancel")), method: "POST" }],
    ["/openapi.json", get("/openapi.json", {})],
    ["/v1/errors/{code}", get("/v1/errors/fenced", {})],
    ["/v1/errors/{code}", get("/v1/errors/none", {})],
    ["/v1/errors/{code}", get("/v1/errors/%zz", {})],
  ];
}
