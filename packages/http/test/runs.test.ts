import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { type Answer, post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

interface Listed {
  readonly runId: string;
  readonly runStatus: string;
}

function listed(answer: Answer): readonly Listed[] {
  expect(answer.status).toBe(200);
  return answer.json()["runs"] as readonly Listed[];
}

describe.each(DOORS)("%s", (door) => {
  it("W13: a cancel ends a run as cancelled, once", async () => {
    await using world = await openWorld(door);
    const runId = await world.record({ eventType: "PHASE_STARTED", payload: { phase: "p" } });
    const cancel = { method: "POST", path: `/v1/agent-runs/${runId}/cancel`, headers: ADA };
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.send(cancel)));
    for (const answer of [...answers, await world.send(cancel)]) {
      expect([answer.status, answer.json()]).toMatchObject([
        200,
        { runId, runStatus: "cancelled", currentPhase: "p", lastSequence: 2 },
      ]);
    }
    const { events } = await world.ada.read(runId);
    expect(events.map(({ eventType }) => eventType)).toEqual(["PHASE_STARTED", "RUN_CANCELLED"]);
    expect((await world.ada.get(runId)).finishedAt).toBe(events[1]?.createdAt);
  });

  it("W13: a cancel of a finished run changes nothing, and its body is ignored", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("RUN_COMPLETED");
    for (const body of ["", "{}", "not JSON"]) {
      const answer = await world.send(post(`/v1/agent-runs/${runId}/cancel`, body));
      expect([answer.status, answer.json()]).toMatchObject([
        200,
        { runStatus: "completed", lastSequence: 1 },
      ]);
    }
  });

  it("W13: a queued run can be cancelled before it begins", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answer = await world.send(post(`/v1/agent-runs/${runId}/cancel`, ""));
    expect(answer.json()).toMatchObject({ runStatus: "cancelled", lastSequence: 1 });
  });

  it("W13: a client that disconnects cancels nothing", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    await stream.until("run_event");
    stream.leave();
    await eventually(() => expect(world.stats().streams.open).toBe(0));
    expect(await world.ada.get(runId)).toMatchObject({ runStatus: "running", lastSequence: 1 });
  });

  it("W14: the list is the caller's runs, newest first, page by page", async () => {
    await using world = await openWorld(door);
    const ids = Array.from({ length: 23 }, (_, at) => `r${at}`);
    for (const runId of ids) {
      await world.runs.create({ ownerId: "ada", runId });
      await world.runs.create({ ownerId: "bob", runId: `bob-${runId}` });
    }
    for (const limit of [1, 5, 23, 24, 200]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query = cursor === null ? "" : `&cursor=${cursor}`;
        const answer = await world.send({
          path: `/v1/agent-runs?limit=${limit}${query}`,
          headers: ADA,
        });
        const page = listed(answer);
        expect(page.length).toBe(Math.min(limit, ids.length - seen.length));
        seen.push(...page.map(({ runId }) => runId));
        cursor = answer.json()["nextCursor"] as string | null;
      } while (cursor !== null);
      expect(seen).toEqual(ids.toReversed());
    }
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W14: the next page continues where the last one ended, even if runs come and go meanwhile", async () => {
    await using world = await openWorld(door);
    for (let at = 0; at < 6; at++) await world.runs.create({ ownerId: "ada", runId: `r${at}` });
    const first = await world.send({ path: "/v1/agent-runs?limit=3", headers: ADA });
    const cursor = String(first.json()["nextCursor"]);
    await world.runs.create({ ownerId: "ada", runId: "new" });
    await world.ada.cancel("r3");
    await world.ada.delete("r3");
    const second = await world.send({
      path: `/v1/agent-runs?limit=3&cursor=${cursor}`,
      headers: ADA,
    });
    expect([first, second].map((page) => listed(page).map(({ runId }) => runId))).toEqual([
      ["r5", "r4", "r3"],
      ["r2", "r1", "r0"],
    ]);
  });

  it("W14: a list holds 50 runs by default, and can be of one status", async () => {
    await using world = await openWorld(door);
    const ends = ["NOTE", "RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"];
    for (let at = 0; at < 60; at++) await world.record(...ends.slice(at % 5, (at % 5) + 1));
    expect(listed(await world.send({ path: "/v1/agent-runs", headers: ADA }))).toHaveLength(50);
    for (const status of ["queued", "running", "completed", "failed", "cancelled"]) {
      const page = listed(
        await world.send({ path: `/v1/agent-runs?status=${status}`, headers: ADA }),
      );
      expect(page.map(({ runStatus }) => runStatus)).toEqual(Array(12).fill(status));
    }
  });

  it.for([
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=1.5",
    "limit=",
    "limit=01",
    "limit=1e1",
    "limit=1&limit=1",
    "status=done",
    "status=",
    "status=failed&status=failed",
    "cursor=",
    "cursor=x",
    "cursor=-1",
    "cursor=9007199254740993",
    "cursor=1&cursor=2",
    "wait=25",
    "last=banana",
  ])("W14: a list with %s is 400", async (query) => {
    await using world = await openWorld(door);
    const answer = await world.send({ path: `/v1/agent-runs?${query}`, headers: ADA });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
  });

  it("W14: a live run cannot be deleted, a finished run can", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const path = `/v1/agent-runs/${runId}`;
    const remove = { method: "DELETE", path, headers: ADA };
    const refused = await world.send(remove);
    expect([refused.status, refused.json()["code"]]).toEqual([409, "run_active"]);
    await world.ada.cancel(runId);
    const removed = await world.send(remove);
    expect([removed.status, removed.text]).toEqual([204, ""]);
    const calls = [remove, { path, headers: ADA }, { path: `${path}/events`, headers: ADA }];
    for (const call of calls) expect((await world.send(call)).status).toBe(404);
    expect(listed(await world.send({ path: "/v1/agent-runs", headers: ADA }))).toEqual([]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W14: the id of a deleted run is free again, for any user, with an empty log and no keys", async () => {
    await using world = await openWorld(door);
    await world.runs.create({ ownerId: "ada", runId: "r" });
    const event = { eventType: "RUN_COMPLETED", payload: "secret" };
    await world.ada.append("r", [event], { idempotencyKey: "k" });
    await world.send({ method: "DELETE", path: "/v1/agent-runs/r", headers: ADA });
    const bob = { authorization: "Bearer bob" };
    const created = await world.send(post("/v1/agent-runs", { runId: "r" }, bob));
    expect([created.status, created.json()]).toMatchObject([
      201,
      { runStatus: "queued", lastSequence: 0 },
    ]);
    const keyed = { ...bob, "idempotency-key": "k" };
    const appended = await world.send(
      post("/v1/agent-runs/r/events", { events: [{ eventType: "A" }] }, keyed),
    );
    expect([appended.status, appended.json()]).toMatchObject([
      201,
      { firstSequence: 1, replayed: false },
    ]);
    const page = await world.send({ path: "/v1/agent-runs/r/events", headers: bob });
    expect(page.text).not.toContain("secret");
    expect((await world.send({ path: "/v1/agent-runs/r", headers: ADA })).status).toBe(404);
  });
});
