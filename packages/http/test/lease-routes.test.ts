import { describe, expect, it } from "vitest";
import { type Answer, type Call, post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const BOB = { authorization: "Bearer bob" };
/** When a test's store begins to count. */
const START_MS = Date.parse("2026-06-20T12:00:00.000Z");
/** The fence of the first claim of the first run at that time. */
const FIRST_FENCE = START_MS * 1_000 + 1;

const claim = (runId: string, body: unknown = { leaseMs: 60_000 }): Call =>
  post(`/v1/agent-runs/${runId}/claim`, body);
const keyedClaim = (runId: string, key: string, leaseMs = 60_000): Call =>
  post(`/v1/agent-runs/${runId}/claim`, { leaseMs }, { "idempotency-key": key });
const renew = (runId: string, fence: unknown, leaseMs: unknown = 60_000): Call => ({
  ...claim(runId, { fence, leaseMs }),
  method: "PUT",
});
const release = (runId: string, fence: unknown): Call => ({
  ...claim(runId, { fence }),
  method: "DELETE",
});

function statusAndJson({ status, text }: Answer): readonly [number, unknown] {
  return [status, text === "" ? null : JSON.parse(text)];
}

describe.each(DOORS)("%s", (door) => {
  it("W31: a claim gives a fence and the time at which the lease expires, by the store's clock", async () => {
    await using world = await openWorld(door, { storeNow: () => START_MS });
    const runId = await world.record("NOTE");
    expect(statusAndJson(await world.send(claim(runId)))).toEqual([
      200,
      { fence: FIRST_FENCE, expiresAt: "2026-06-20T12:01:00.000Z" },
    ]);
    const before = await world.ada.get(runId);
    // The lease is not an event: the run is as it was.
    expect(before).toMatchObject({ lastSequence: 1, updatedAt: "2026-06-20T12:00:00.000Z" });
  });

  it("W31: a second claim gets the time at which the lease expires, even from the same caller", async () => {
    await using world = await openWorld(door, { storeNow: () => START_MS });
    const runId = await world.record();
    await world.send(claim(runId, { leaseMs: 1_000 }));
    expect(statusAndJson(await world.send(claim(runId, { leaseMs: 3_600_000 })))).toMatchObject([
      409,
      { code: "claimed", expiresAt: "2026-06-20T12:00:01.000Z" },
    ]);
  });

  it("W31: a repeated claim with its `Idempotency-Key` gets the same fence and end, one with another key does not", async () => {
    let nowMs = START_MS;
    await using world = await openWorld(door, { storeNow: () => nowMs });
    const runId = await world.record();
    const lease = { fence: FIRST_FENCE, expiresAt: "2026-06-20T12:01:00.000Z" };
    expect(statusAndJson(await world.send(keyedClaim(runId, "k")))).toEqual([200, lease]);
    nowMs += 30_000;
    expect(statusAndJson(await world.send(keyedClaim(runId, "k", 1_000)))).toEqual([200, lease]);
    for (const other of [keyedClaim(runId, "l"), claim(runId)])
      expect(statusAndJson(await world.send(other))).toMatchObject([409, { code: "claimed" }]);
    // Its lease has expired: now the key is a claim like any other.
    nowMs += 30_000;
    expect(statusAndJson(await world.send(keyedClaim(runId, "k")))).toMatchObject([
      200,
      { fence: FIRST_FENCE + 60_000_000 },
    ]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W31: a worker can renew an expired lease until another worker has the run", async () => {
    let nowMs = START_MS;
    await using world = await openWorld(door, { storeNow: () => nowMs });
    const runId = await world.record();
    await world.send(claim(runId));
    const fence = FIRST_FENCE;
    nowMs += 30_000;
    expect(statusAndJson(await world.send(renew(runId, fence, 45_000)))).toEqual([
      200,
      { fence, expiresAt: "2026-06-20T12:01:15.000Z" },
    ]);
    nowMs += 45_000;
    expect(statusAndJson(await world.send(renew(runId, fence, 1_000)))).toMatchObject([
      200,
      { fence },
    ]);
    nowMs += 1_000;
    const next = fence + 76_000_000;
    expect(statusAndJson(await world.send(claim(runId)))).toMatchObject([200, { fence: next }]);
    for (const late of [renew(runId, fence), release(runId, fence)]) {
      expect(statusAndJson(await world.send(late))).toMatchObject([409, { code: "fenced" }]);
    }
    expect(statusAndJson(await world.send(renew(runId, next)))).toMatchObject([
      200,
      { fence: next },
    ]);
  });

  it("W3, W31: a body of the wrong shape for the method is 400, and changes nothing", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const times = [999, 3_600_001, 1_000.5, "1000", null, true, -1, 0];
    const fences = [0, -1, 1.5, "1", null, 2 ** 53];
    const bad = [
      "",
      "{",
      "[]",
      "null",
      "1000",
      "{}",
      '{"leaseMs":1000,"leaseMs":1000}',
      '{"leaseMs":1e400}',
      '{"leaseMs":1000,"fence":1}',
      ...times.map((leaseMs) => ({ leaseMs })),
    ].map((body) => claim(runId, body));
    bad.push(
      ...times.map((leaseMs) => renew(runId, 1, leaseMs)),
      ...fences.flatMap((fence) => [renew(runId, fence), release(runId, fence)]),
      { ...release(runId, 1), body: "" },
      { ...claim(runId), headers: { authorization: "Bearer ada", "content-type": "text/plain" } },
    );
    for (const call of bad) {
      const { status, text } = await world.send(call);
      expect([call.method, call.body, status, text]).toEqual([
        call.method,
        call.body,
        400,
        expect.stringContaining('"code":"invalid_request"'),
      ]);
    }
    expect(await world.runs.log.getRun(runId, { ownerId: "ada" })).toMatchObject({
      fence: 0,
      leaseExpiresAtMs: null,
    });
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W4, W31: another user cannot distinguish a claimed run from one that does not exist", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const fence = Number((await world.send(claim(runId))).json()["fence"]);
    const ended = await world.record("RUN_COMPLETED");
    const lines = { "content-type": "application/x-ndjson" };
    const callsOn = (id: string): readonly Call[] => [
      claim(id),
      renew(id, fence),
      renew(id, fence + 1),
      release(id, fence),
      post(`/v1/agent-runs/${id}/events`, { events: [{ eventType: "A" }] }),
      post(
        `/v1/agent-runs/${id}/events`,
        { events: [{ eventType: "A" }] },
        { "run-fence": String(fence) },
      ),
      post(`/v1/agent-runs/${id}/events`, '{"eventType":"A"}\n', {
        ...lines,
        "run-fence": String(fence),
      }),
      post(`/v1/agent-runs/${id}/cancel`, ""),
    ];
    const asBob = async (call: Call): Promise<object> => {
      const answer = await world.send({ ...call, headers: { ...call.headers, ...BOB } });
      const { date: _, ...headers } = answer.headers;
      return { status: answer.status, headers, text: answer.text };
    };
    for (const [at, call] of callsOn("none").entries()) {
      const expected = await asBob(call);
      expect(expected).toMatchObject({ status: 404 });
      for (const id of [runId, ended]) {
        expect(await asBob(callsOn(id)[at] ?? call)).toEqual(expected);
      }
    }
    expect(await world.runs.log.getRun(runId, { ownerId: "ada" })).toMatchObject({
      fence,
      lastSequence: 1,
    });
  });
});
