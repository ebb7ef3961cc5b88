import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { type Call, post } from "./harness/answer.ts";
import { nextFenceOf, STILL } from "./harness/next-fence.ts";
import { DOORS, openWorld } from "./harness/world.ts";

/** Every request about a run, without a credential. @param fence what the run's next claim gets */
function callsOn(runId: string, fence = 1): readonly Call[] {
  const run = `/v1/agent-runs/${runId}`;
  const event = '{"eventType":"NOTE"}';
  const events = post(`${run}/events`, `{"events":[${event}]}`);
  const lines = { "content-type": "application/x-ndjson" };
  return [
    { path: run },
    { method: "HEAD", path: run },
    { method: "DELETE", path: run },
    { path: `${run}/events` },
    { path: `${run}/events?since=7&wait=1` },
    { method: "HEAD", path: `${run}/events` },
    events,
    { ...events, headers: { ...events.headers, "idempotency-key": "k" } },
    { ...events, headers: { ...events.headers, ...lines }, body: `${event}\n` },
    post(`${run}/claim`, '{"leaseMs":60000}'),
    { ...post(`${run}/claim`, { fence, leaseMs: 60_000 }), method: "PUT" },
    { ...events, headers: { ...events.headers, "run-fence": String(fence) } },
    { ...post(`${run}/claim`, { fence }), method: "DELETE" },
    { method: "POST", path: `${run}/cancel` },
  ];
}

function streamsOn(runId: string): readonly Call[] {
  const path = `/v1/agent-runs/${runId}/stream`;
  return [
    { path },
    { path, headers: { "last-event-id": "9" } },
    { path: `${path}?since=9` },
    { method: "HEAD", path },
  ];
}

const BOB = { authorization: "Bearer bob" };
const BOB_SESSION = { cookie: "session=bob" };

describe.each(DOORS)("%s", (door) => {
  it("W4: every route but the live stream accepts either credential", async () => {
    await using world = await openWorld(door, STILL);
    for (const credential of [ADA, ADA_SESSION]) {
      const runId = await world.record();
      for (const call of callsOn(runId, await nextFenceOf(world, runId))) {
        if (call.path.includes("since=7")) continue;
        const { authorization: _, ...headers } = call.headers ?? {};
        const { status } = await world.send({ ...call, headers: { ...headers, ...credential } });
        // The refusal to delete a live run shows that it is the caller's.
        const expected =
          call.method === "DELETE" && call.body === undefined ? [409] : [200, 201, 204];
        expect([call, expected.includes(status)]).toEqual([call, true]);
      }
    }
  });

  it("W4: a request without a valid credential is 401", async () => {
    await using world = await openWorld(door);
    world.accounts.signOut("ada");
    const runId = await world.record();
    const all = [...callsOn(runId), ...streamsOn(runId), { path: "/v1/agent-runs" }];
    for (const call of all) {
      const { authorization: _, ...headers } = call.headers ?? {};
      for (const credential of [{}, ADA_SESSION, { authorization: "Basic YWRh" }]) {
        const answer = await world.send({ ...call, headers: { ...headers, ...credential } });
        expect([call, answer.status]).toEqual([call, 401]);
        expect(answer.headers["www-authenticate"]).toMatch(/^Bearer /);
        if (call.method !== "HEAD") expect(answer.json()["code"]).toBe("unauthenticated");
      }
    }
    expect(await world.ada.read(runId)).toMatchObject({ lastSequence: 0, runStatus: "queued" });
  });

  it("W4: another user's run, an unknown run and an impossible id get the same 404, byte for byte", async () => {
    await using world = await openWorld(door);
    const adas = await world.record("NOTE", "NOTE");
    const finished = await world.record("RUN_COMPLETED");
    const others = [finished, "none", "%2e%2F", "x".repeat(200)];
    for (const [at, call] of callsOn(adas).entries()) {
      const headers = { ...call.headers, ...BOB };
      const {
        headers: { date: _, ...expected },
        ...first
      } = await world.send({ ...call, headers });
      expect([call, first.status]).toEqual([call, 404]);
      for (const runId of others) {
        const other = await world.send({
          ...callsOn(runId)[at],
          path: callsOn(runId)[at]?.path ?? "",
          headers,
        });
        expect(other).toMatchObject({ status: 404, text: first.text, headers: expected });
      }
    }
    for (const [at, call] of streamsOn(adas).entries()) {
      const first = await world.send({ ...call, headers: { ...call.headers, ...BOB_SESSION } });
      expect([call, first.status]).toEqual([call, 404]);
      for (const runId of others) {
        const path = streamsOn(runId)[at]?.path ?? "";
        const other = await world.send({
          ...call,
          path,
          headers: { ...call.headers, ...BOB_SESSION },
        });
        expect([path, other.status, other.text]).toEqual([path, 404, first.text]);
      }
    }
    expect(await world.ada.read(adas)).toMatchObject({ lastSequence: 2, runStatus: "running" });
    expect(await world.ada.read(finished)).toMatchObject({ lastSequence: 1 });
  });

  it("W4: a list holds the caller's own runs alone", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const lists = await Promise.all(
      [ADA, ADA_SESSION, BOB].map((headers) => world.send({ path: "/v1/agent-runs", headers })),
    );
    const ids = lists.map((list) =>
      (list.json()["runs"] as { runId: string }[]).map((run) => run.runId),
    );
    expect(ids).toEqual([[runId], [runId], []]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W4: an `authenticate` that throws is an error of the server, not of the caller", async () => {
    await using world = await openWorld(door);
    world.accounts.breakDown(new Error("the session store is at redis://secret"));
    const answer = await world.send({ path: "/v1/agent-runs", headers: ADA });
    expect([answer.status, answer.json()["code"]]).toEqual([500, "internal"]);
    expect(answer.text).not.toContain("secret");
    expect(world.reported).toHaveLength(1);
  });
});
