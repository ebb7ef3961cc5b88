import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { type Answer, type Call, methodOf, post } from "./harness/answer.ts";
import { type Described, document, fits, schemaOf } from "./harness/described.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

/** Holds an answer against what the document says of it. */
function expectDescribed(answer: Answer, call: Call, template: string): void {
  const method = methodOf(call);
  const response = document.paths[template]?.[method.toLowerCase()]?.responses[answer.status];
  const said = `${method} ${template} ${answer.status}`;
  expect([said, response]).not.toEqual([said, undefined]);
  for (const header of Object.keys(response?.headers ?? {})) {
    expect([said, Object.keys(answer.headers)]).toEqual([
      said,
      expect.arrayContaining([header.toLowerCase()]),
    ]);
  }
  if (response?.content === undefined) expect([said, answer.text]).toEqual([said, ""]);
  else expectContent(answer, response.content, said);
}

function expectContent(
  answer: Answer,
  content: NonNullable<Described["content"]>,
  said: string,
): void {
  const type = answer.headers["content-type"]?.split(";", 1)[0] ?? "";
  const schema = content[type]?.schema;
  expect([said, schema]).not.toEqual([said, undefined]);
  // The messages of a stream are text to the document; what is in them has a test of its own.
  const value = type === "text/event-stream" ? answer.text : answer.json();
  expect([said, fits(schema ?? {}, value)]).toEqual([said, []]);
}

const RUN = "/v1/agent-runs/{runId}";

/** Requests of a run's lease and under it, good and bad. */
function leaseCallsOf(live: string, ended: string): readonly (readonly [string, Call])[] {
  const lasting = { leaseMs: 60_000 };
  const held = { fence: 1, ...lasting };
  const stale = { ...held, fence: 2 };
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
  const appends = [{ "run-fence": "1" }, { "run-fence": "x" }, {}].flatMap((fence) => [
    post(`${live}/events`, note, fence),
    post(`${live}/events`, line, { ...lines, ...fence }),
  ]);
  const ends = [
    of("DELETE", live, { fence: 2 }),
    of("DELETE", live, { fence: 1 }),
    of("DELETE", live, {}),
    of("DELETE", live, { fence: 1 }, foreign),
    of("DELETE", ended, { fence: 1 }),
  ];
  return [
    ...calls.map((call) => [`${RUN}/claim`, call] as const),
    ...appends.map((call) => [`${RUN}/events`, call] as const),
    ...ends.map((call) => [`${RUN}/claim`, call] as const),
  ];
}

/** Requests of each route, good and bad. */
async function callsOf(world: World): Promise<readonly (readonly [string, Call])[]> {
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
    ["/v1/agent-runs", get("/v1/agent-runs?limit=1")],
    ["/v1/agent-runs", get("/v1/agent-runs?status=none")],
    ["/v1/agent-runs", get("/v1/agent-runs", {})],
    ["/v1/agent-runs", post("/v1/agent-runs", { runId: "new", metadata: [1] })],
    ["/v1/agent-runs", post("/v1/agent-runs", { runId: "new" })],
    ["/v1/agent-runs", post("/v1/agent-runs", { runId: "bobs" })],
    ["/v1/agent-runs", post("/v1/agent-runs", { metadata: "x".repeat(262_143) })],
    ["/v1/agent-runs", post("/v1/agent-runs", [])],
    ["/v1/agent-runs", post("/v1/agent-runs", {}, foreign)],
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
    [`${RUN}/stream`, get(run(ended, "/stream"), ADA_SESSION)],
    [`${RUN}/stream`, get(run(ended, "/stream"), { ...ADA_SESSION, "last-event-id": "3" })],
    [`${RUN}/stream`, get(run(ended, "/stream"))],
    [`${RUN}/stream`, get(run(ended, "/stream?since=x"), ADA_SESSION)],
    [`${RUN}/stream`, get(run("none", "/stream"), ADA_SESSION)],
    [`${RUN}/stream`, get(run(live, "/stream"), foreign)],
    [`${RUN}/stream`, { ...get(run(live, "/stream"), ADA_SESSION), method: "HEAD" }],
    [`${RUN}/stream`, { ...get(run(live, "/stream"), ADA), method: "HEAD" }],
    ...leaseCallsOf(run(live), run(ended)),
    [`${RUN}/cancel`, { ...get(run(live, "/cancel")), method: "POST" }],
    [`${RUN}/cancel`, { ...get(run("none", "/cancel")), method: "POST" }],
    ["/openapi.json", get("/openapi.json", {})],
  ];
}

describe.each(DOORS)("%s", (door) => {
  it("W30: what each route answers is what the document says, and holds nothing more", async () => {
    // With all that an answer can have.
    await using world = await openWorld(door, { retentionMs: 1 });
    const seen = new Map<string, Set<number>>();
    for (const [template, call] of await callsOf(world)) {
      const answer = await world.send(call);
      expectDescribed(answer, call, template);
      const key = `${methodOf(call)} ${template}`;
      seen.set(key, (seen.get(key) ?? new Set()).add(answer.status));
    }
    // Every good answer that is described has been seen.
    for (const [template, item] of Object.entries(document.paths)) {
      if (!template.startsWith("/v1/agent-runs")) continue;
      for (const [method, operation] of Object.entries(item)) {
        if (method === "parameters") continue;
        const good = Object.keys(operation.responses)
          .map(Number)
          .filter((status) => status < 400);
        const key = `${method.toUpperCase()} ${template}`;
        expect([
          key,
          good.filter((status) => !seen.get(key)?.has(status) && method !== "head"),
        ]).toEqual([key, []]);
      }
    }
  });

  it("W30: problems of a store that is away, and of too many polls, are described", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 0 });
    const runId = await world.record();
    const template = `${RUN}/events`;
    const waiting = { path: `/v1/agent-runs/${runId}/events?wait=1`, headers: ADA };
    expectDescribed(await world.send(waiting), waiting, template);
    world.store.cut(new Error("gone"));
    const appending = post(`/v1/agent-runs/${runId}/events`, { events: [{ eventType: "A" }] });
    const calls = [waiting, appending];
    for (const call of calls) expectDescribed(await world.send(call), call, template);
  });

  it("W22, W30: every message of a stream is a StreamMessage", async () => {
    await using world = await openWorld(door);
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    const frames = [...(await stream.until("status"))];
    await world.runs.append(runId, [phase, { eventType: "RUN_COMPLETED" }]);
    frames.push(...(await stream.rest()));
    frames.push(...(await (await world.tail(runId, "?since=9")).rest()));
    await world.drain(0);
    frames.push(...(await (await world.tail(runId)).rest()));
    expect(new Set(frames.map(({ data }) => data["type"])).size).toBe(5);
    for (const { data } of frames)
      expect([data, fits(schemaOf("StreamMessage"), data)]).toEqual([data, []]);
  });
});
